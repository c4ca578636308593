// Ideas side by side, as large as the window allows: all show the same part of the photo, up to its own pixels.

import { block, byId, button, clamp, follow, make } from "./dom.js";
import { Latest } from "./latest.js";
import { paint } from "./stage.js";

/** @typedef {import("./engine.js").ServerEngine} Engine */
/** @typedef {import("./engine.js").Region} Region */
/** @typedef {{name: string, version: import("./document.js").Version, take: () => void}} Choice */
/** @typedef {{choice: Choice, frame: HTMLElement, picture: HTMLCanvasElement, shows: Region | null}} Tile */

const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };
const LARGEST = 2000; // pixels of a picture
const MOVED = 4; // CSS pixels from which a press is a drag and takes nothing

/** The dialog in which pictures are compared; a click takes one. */
export class SideBySide {
  /** @param {(error: unknown) => void} onError */
  constructor(onError) {
    this.dialog = byId("side-by-side", HTMLDialogElement);
    this.list = block("side-by-side-list");
    this.asking = new Latest(onError);
    /** @type {Engine | null} */
    this.engine = null;
    /** @type {Tile[]} */
    this.tiles = [];
    /** @type {Region} the part of the photo that all show */
    this.region = WHOLE;
    this.#listen();
  }

  #listen() {
    button("side-in").addEventListener("click", () => this.zoom(1.6));
    button("side-out").addEventListener("click", () => this.zoom(1 / 1.6));
    button("side-fit").addEventListener("click", () => (this.region === WHOLE ? this.zoom(Infinity) : this.#look(WHOLE)));
    this.dialog.addEventListener("close", () => this.asking.stop());
    this.dialog.addEventListener("keydown", (event) => {
      const factor = { "+": 1.6, "=": 1.6, "-": 1 / 1.6, z: Infinity, f: 0 }[event.key];
      if (factor !== undefined) this.zoom(factor);
    });
    new ResizeObserver(() => this.#draw()).observe(this.list);
  }

  /** Show choices. @param {Engine} engine @param {Choice[]} choices */
  open(engine, choices) {
    this.engine = engine;
    this.region = WHOLE;
    this.tiles = choices.map((choice) => this.#tile(choice));
    this.list.replaceChildren(...this.tiles.map(({ frame, choice }) => make("li", {}, frame, make("p", {}, choice.name))));
    this.dialog.showModal();
    this.#look(WHOLE);
  }

  /** @param {Choice} choice @returns {Tile} */
  #tile(choice) {
    const { width = 4, height = 3 } = this.engine?.info ?? {};
    const picture = make("canvas", { "aria-hidden": "true" });
    const frame = make("button", { type: "button", class: "side-frame", "aria-label": `Take ${choice.name}` }, picture);
    frame.style.aspectRatio = `${width} / ${height}`;
    frame.addEventListener("wheel", (event) => this.#wheel(event, frame), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.#grab(event, frame));
    frame.addEventListener("click", () => {
      if (frame.dataset.dragged) return;
      this.dialog.close();
      choice.take();
    });
    return { choice, frame, picture, shows: null };
  }

  /** @param {WheelEvent} event @param {HTMLElement} frame */
  #wheel(event, frame) {
    event.preventDefault();
    const { left, top, width, height } = frame.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY / 300), (event.clientX - left) / width, (event.clientY - top) / height);
  }

  /** Drag what all show. @param {PointerEvent} down @param {HTMLElement} frame */
  #grab(down, frame) {
    frame.dataset.dragged = "";
    const from = this.region;
    const { width, height } = frame.getBoundingClientRect();
    const onMove = (/** @type {PointerEvent} */ event) => {
      const [dx, dy] = [event.clientX - down.clientX, event.clientY - down.clientY];
      if (!frame.dataset.dragged && Math.hypot(dx, dy) < MOVED) return;
      frame.dataset.dragged = "true";
      const size = from.right - from.left;
      this.#look(within(from.left - (dx / width) * size, from.top - (dy / height) * size, size));
    };
    follow(frame, down, onMove);
  }

  /** The share of the photo's width at which its pixels are the screen's. */
  get #smallest() {
    const seen = (this.tiles[0]?.frame.clientWidth ?? 1) * devicePixelRatio;
    return Math.min(1, seen / (this.engine?.info.width ?? 1));
  }

  /** Zoom about a point of the pictures, 0..1. @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x = 0.5, y = 0.5) {
    const { left, top, right } = this.region;
    const before = right - left;
    const size = clamp(before / factor, this.#smallest, 1);
    this.#look(within(left + x * (before - size), top + y * (before - size), size));
  }

  /** @param {Region} region */
  #look(region) {
    this.region = region;
    const size = region.right - region.left;
    const isFull = size <= this.#smallest * 1.001;
    button("side-fit").textContent = region === WHOLE ? "Fit" : isFull ? "100 %" : `${Math.round((100 * this.#smallest) / size)} %`;
    this.#draw();
  }

  /** Move what is there at once, and ask for it in full detail. */
  #draw() {
    const { engine, region, tiles } = this;
    if (!engine || !this.dialog.open) return;
    for (const { picture, shows } of tiles) if (shows) picture.style.transform = moved(shows, region);
    this.asking.ask(async (signal) => {
      for (const tile of tiles) {
        if (this.region !== region) return;
        const side = Math.max(tile.frame.clientWidth, tile.frame.clientHeight) * devicePixelRatio;
        const asked = Math.round(clamp(side, 64, LARGEST));
        const blob = await engine.render(tile.choice.version, asked, region === WHOLE ? null : region, signal);
        if (signal.aborted) return;
        await paint(tile.picture, blob);
        tile.shows = region;
        tile.picture.style.transform = moved(region, this.region);
      }
      this.dialog.dataset.shown = String(Number(this.dialog.dataset.shown ?? 0) + 1);
    });
  }
}

/** A square share of the photo's sides that lies within it. @param {number} left @param {number} top @param {number} size @returns {Region} */
function within(left, top, size) {
  if (size >= 1) return WHOLE;
  const [x, y] = [clamp(left, 0, 1 - size), clamp(top, 0, 1 - size)];
  return { left: x, top: y, right: x + size, bottom: y + size };
}

/** What brings a picture of one part to where another part is shown. @param {Region} from @param {Region} to */
function moved(from, to) {
  const size = to.right - to.left;
  const [x, y] = [(from.left - to.left) / size, (from.top - to.top) / size].map((share) => 100 * share);
  return `translate(${x}%, ${y}%) scale(${(from.right - from.left) / size})`;
}
