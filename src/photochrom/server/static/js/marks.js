// The hints on the photo: buttons that can be dragged, moved with arrow keys and deleted.

import { nameOf } from "./names.js";
import { block, byId, clamp, follow, make, makeSvg } from "./dom.js";
import { DEFAULT_RADIUS } from "./hints.js";

/** @typedef {import("./hints.js").Hint} Hint */
/** @typedef {import("./document.js").Coloring} Coloring */
/** @typedef {import("./view.js").View} View */

const MOST_MARKS = 400; // more are drawn by none; they still color
const STEP = 0.004; // of the longer side, an arrow key moves a hint
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Draws a coloring's hints over the photo and lets them be moved. */
export class Marks {
  /** @param {View} view @param {(index: number) => void} onChoose */
  constructor(view, onChoose) {
    this.view = view;
    this.onChoose = onChoose;
    this.root = block("marks");
    this.strokes = byId("strokes", SVGSVGElement);
    /** @type {Coloring | null} */
    this.coloring = null;
    /** @type {Hint | null} the place that waits for its color */
    this.draft = null;
    /** @type {[number, number][] | null} an outline under way */
    this.outline = null;
    view.addEventListener("move", () => this.place());
  }

  /** @param {Coloring} coloring @param {AbortSignal} signal */
  open(coloring, signal) {
    this.coloring = coloring;
    this.draft = null;
    for (const event of ["change", "select"]) coloring.addEventListener(event, () => this.draw(), { signal });
    this.draw();
  }

  /** @param {Hint | null} draft */
  showDraft(draft) {
    this.draft = draft;
    this.draw();
  }

  /** @param {[number, number][] | null} outline */
  showOutline(outline) {
    this.outline = outline;
    this.draw();
  }

  /** Make or remove buttons where their number changed, and color and place them. */
  draw() {
    const hints = this.coloring?.hints.slice(0, MOST_MARKS) ?? [];
    while (this.root.children.length > hints.length) this.root.lastElementChild?.remove();
    while (this.root.children.length < hints.length) this.root.append(this.#mark(this.root.children.length));
    hints.forEach((hint, index) => {
      const mark = this.#markAt(index);
      const chosen = this.coloring?.selected === index;
      mark.style.setProperty("--color", hint.color);
      mark.classList.toggle("found", Boolean(hint.found));
      mark.setAttribute("aria-pressed", String(chosen));
      mark.setAttribute("aria-label", `Hint ${index + 1}, ${nameOf(hint.color)}`);
    });
    this.place();
  }

  /** Put every mark where its hint is now. */
  place() {
    const hints = this.coloring?.hints.slice(0, MOST_MARKS) ?? [];
    hints.forEach((hint, index) => {
      const { x, y } = this.view.toStage(hint.x, hint.y);
      this.#markAt(index).style.transform = `translate(${x}px, ${y}px)`;
    });
    this.#drawStrokes(hints);
  }

  /** @param {number} index */
  #markAt(index) {
    return /** @type {HTMLButtonElement} */ (this.root.children[index]);
  }

  /** @param {readonly Hint[]} hints */
  #drawStrokes(hints) {
    const { view, strokes } = this;
    strokes.replaceChildren();
    hints.forEach((hint, index) => {
      const chosen = this.coloring?.selected === index;
      if (hint.path.length) strokes.append(...line(view, hint, chosen ? "stroke chosen" : "stroke"));
      else if (chosen) strokes.append(disc(view, hint, "reach"));
    });
    for (const outline of [this.outline, (this.draft ?? this.coloring?.chosen)?.within]) {
      if (outline?.length) strokes.append(...["bound edge", "bound"].map((kind) => polygon(view, outline, kind)));
    }
    if (this.draft?.path.length) strokes.append(...line(view, this.draft, "stroke draft"));
    else if (this.draft) strokes.append(disc(view, this.draft, "reach draft"), dot(view, this.draft));
  }

  /** @param {number} index */
  #mark(index) {
    const mark = make("button", { type: "button", class: "mark" });
    mark.addEventListener("pointerdown", (event) => this.#grab(event, index));
    mark.addEventListener("click", () => this.onChoose(index));
    mark.addEventListener("keydown", (event) => this.#key(event, index));
    mark.addEventListener("focus", () => this.coloring?.select(index));
    return mark;
  }

  /** @param {PointerEvent} down @param {number} index */
  #grab(down, index) {
    const { coloring, view } = this;
    const from = coloring?.hints[index];
    if (!coloring || !from || down.button !== 0) return;
    let moved = false;
    const onMove = (/** @type {PointerEvent} */ event) => {
      const [dx, dy] = [event.clientX - down.clientX, event.clientY - down.clientY];
      if (!moved && Math.hypot(dx, dy) < 3) return;
      moved = true;
      coloring.select(index);
      coloring.edit(index, moveBy(from, dx / (view.photo.width * view.scale), dy / (view.photo.height * view.scale)), true);
    };
    follow(this.#markAt(index), down, onMove, () => coloring.settle());
  }

  /** @param {KeyboardEvent} event @param {number} index */
  #key(event, index) {
    const { coloring, view } = this;
    const hint = coloring?.hints[index];
    if (!coloring || !hint || event.ctrlKey || event.metaKey) return;
    const step = STEPS[/** @type {keyof typeof STEPS} */ (event.key)];
    if (step) {
      const longest = Math.max(view.photo.width, view.photo.height) * STEP * (event.shiftKey ? 6 : 1);
      coloring.select(index);
      coloring.edit(index, moveBy(hint, (step[0] * longest) / view.photo.width, (step[1] * longest) / view.photo.height));
    } else if (event.key === "Delete" || event.key === "Backspace") {
      coloring.remove(index);
      this.#markAt(Math.min(index, this.root.children.length - 1))?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** A hint with its stroke moved, all of it within the photo. @param {Hint} hint @param {number} dx @param {number} dy */
function moveBy(hint, dx, dy) {
  const points = [[hint.x, hint.y], ...hint.path];
  const x = clamp(dx, -Math.min(...points.map((p) => p[0])), 1 - Math.max(...points.map((p) => p[0])));
  const y = clamp(dy, -Math.min(...points.map((p) => p[1])), 1 - Math.max(...points.map((p) => p[1])));
  const path = hint.path.map((p) => /** @type {[number, number]} */ ([p[0] + x, p[1] + y]));
  return { x: clamp(hint.x + x, 0, 1), y: clamp(hint.y + y, 0, 1), path };
}

/** @param {View} view @param {Hint} hint @param {string} kind */
function disc(view, hint, kind) {
  const { x, y } = view.toStage(hint.x, hint.y);
  return makeSvg("circle", { cx: x, cy: y, r: Math.max(view.radiusOnStage(hint.radius), 1), class: kind });
}

/** @param {View} view @param {[number, number][]} outline @param {string} kind */
function polygon(view, outline, kind) {
  const points = outline.map(([x, y]) => view.toStage(x, y)).map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`);
  return makeSvg("polygon", { points: points.join(" "), class: kind });
}

/** @param {View} view @param {Hint} hint */
function dot(view, hint) {
  const { x, y } = view.toStage(hint.x, hint.y);
  return makeSvg("circle", { cx: x, cy: y, r: 9, class: "draft-dot" });
}

/** A stroke with a dark edge, so that it is seen on any ground. @param {View} view @param {Hint} hint @param {string} kind */
function line(view, hint, kind) {
  const points = [[hint.x, hint.y], ...hint.path]
    .map(([x, y]) => view.toStage(x, y))
    .map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`)
    .join(" ");
  const width = Math.max(2 * view.radiusOnStage(hint.radius ?? DEFAULT_RADIUS), 3);
  const edge = makeSvg("polyline", { points, class: `${kind} edge` });
  const core = makeSvg("polyline", { points, class: kind });
  edge.style.strokeWidth = `${width + 2}px`;
  core.style.strokeWidth = `${width}px`;
  core.style.stroke = hint.color;
  return [edge, core];
}
