// The studio: tools, views and panels around one photo, and how they work together.

import { Compare } from "./compare.js";
import { nameOf, toHex } from "./color.js";
import { closeDialog, suffixOf } from "./dialogs.js";
import { Colouring } from "./document.js";
import { block, button, input } from "./dom.js";
import { Editor } from "./editor.js";
import { limits, ServerEngine } from "./engine.js";
import { save, stem } from "./files.js";
import { dump, hint, load, simplify } from "./hints.js";
import { HintList } from "./hintlist.js";
import { Ideas, Reference } from "./ideas.js";
import { Marks } from "./marks.js";
import { Overlays } from "./overlays.js";
import { Palette } from "./palette.js";
import { Stage } from "./stage.js";
import { announce, complain, dismiss, succeeded, toast } from "./talk.js";
import { View } from "./view.js";

/** @typedef {"hint" | "stroke" | "pin" | "pick"} Tool */
/** @typedef {{x: number, y: number}} Point */

const STROKE_TOLERANCE = 0.0015; // of the photo's side, how far a simplified stroke may leave the drawn one
const STROKE_RADIUS = 0.008;

/** Everything on the page around one photo. */
export class Studio {
  constructor() {
    this.view = new View();
    this.stage = new Stage(this.view, complain, succeeded);
    this.marks = new Marks(this.view, (index) => this.choose(index));
    this.compare = new Compare(this.view, (on) => this.#press("compare", on));
    this.overlays = new Overlays(this.view, (place) => this.invited(place), complain);
    this.editor = new Editor({
      showDraft: (draft) => this.marks.showDraft(draft),
      colorAt: (x, y) => this.stage.colorAt(x, y),
      showReach: (index) => this.showReach(index),
      startPicking: () => this.setTool("pick"),
      onError: complain,
    });
    this.list = new HintList((index) => this.choose(index));
    this.palette = new Palette();
    this.ideas = new Ideas((hints) => this.startFrom(hints), complain);
    this.reference = new Reference(
      (rgb) => this.picked(toHex(rgb)),
      (photo) => this.colourLike(photo),
      async (photo) => (await ServerEngine.open(photo)).original(900, null),
      complain,
    );
    /** @type {Tool} */
    this.tool = "hint";
    /** @type {Tool} */
    this.toolBefore = "hint";
    /** @type {ServerEngine | null} */
    this.engine = null;
    this.colouring = new Colouring(0);
    this.name = "photo";
    this.opening = new AbortController();
  }

  /** Open a photo: ask for its colours, then show all that belongs to it. @param {File} photo */
  async open(photo) {
    this.opening.abort();
    this.opening = new AbortController();
    const { signal } = this.opening;
    const before = this.engine;
    this.#showBusy(true);
    try {
      await refuseTooLarge(photo);
      const engine = await ServerEngine.open(photo, signal);
      if (signal.aborted) return engine.close();
      before?.close();
      this.name = photo.name;
      await this.#show(engine);
    } catch (error) {
      if (!signal.aborted) complain(error);
    } finally {
      if (!signal.aborted) this.#showBusy(false);
    }
  }

  /** @param {ServerEngine} engine */
  async #show(engine) {
    this.engine = engine;
    this.colouring = new Colouring(engine.info.vividness);
    const { colouring, stage } = this;
    document.body.dataset.screen = "studio";
    block("welcome").hidden = true;
    block("studio").hidden = false;
    this.closeDrawers();
    this.compare.toggle(false);
    this.setTool("hint");
    await stage.open(engine, colouring);
    for (const part of [this.editor, this.overlays, this.ideas, this.palette]) part.open(engine, colouring);
    this.marks.open(colouring);
    this.list.open(colouring);
    colouring.addEventListener("change", () => this.#changed());
    colouring.addEventListener("settle", () => this.#changed(false));
    this.#describe();
    this.#changed(false);
    stage.reveal();
    announce("The photo is in colour.");
  }

  #describe() {
    if (!this.engine) return;
    const { width, height, warnings, colored } = this.engine.info;
    block("photo-name").textContent = this.name;
    block("photo-facts").textContent = `${width} × ${height}`;
    document.title = `${this.name} – Photochrom`;
    const told = colored ? ["This photo had colours already; they are dropped.", ...warnings] : warnings;
    if (told.length) toast(told.join(" "));
  }

  /** @param {boolean} [render] */
  #changed(render = true) {
    const { colouring } = this;
    button("undo").disabled = colouring.past.length === 0;
    button("redo").disabled = colouring.future.length === 0;
    input("vividness").value = String(colouring.vividness);
    block("vividness-out").textContent = `${Math.round(100 * colouring.vividness)}`;
    if (render) this.stage.update();
  }

  // --- what a person does on the photo ---

  /** @param {Point} at */
  click(at) {
    const { colouring, tool } = this;
    if (tool === "pick") this.picked(toHex(this.stage.colorAt(at.x, at.y)));
    else if (tool === "pin") void this.pin(at);
    else this.editor.start(hint({ ...at, color: toHex(this.stage.colorAt(at.x, at.y)), radius: this.#lastRadius(colouring) }));
  }

  /** New hints are as large as the last one. @param {Colouring} colouring */
  #lastRadius(colouring) {
    const dots = colouring.hints.filter(({ path }) => path.length === 0);
    return dots.at(-1)?.radius ?? hint({ x: 0, y: 0, color: "#808080" }).radius;
  }

  /** @param {Point[]} points @param {boolean} done */
  stroke(points, done) {
    if (points.length === 0) return this.marks.showDraft(this.editor.draft);
    const pairs = points.map(({ x, y }) => /** @type {[number, number]} */ ([x, y]));
    const [first, ...path] = simplify(pairs, STROKE_TOLERANCE);
    const color = toHex(this.stage.colorAt(first[0], first[1]));
    const draft = hint({ x: first[0], y: first[1], color, radius: STROKE_RADIUS, path });
    if (done) this.editor.start(draft);
    else this.marks.showDraft(draft);
  }

  /** Keep the colour that a place has now. @param {Point} at */
  async pin(at) {
    if (!this.engine) return;
    try {
      const { current } = await this.engine.suggest(this.colouring.version, at.x, at.y);
      this.colouring.add(hint({ ...at, color: current }));
      announce(`Pinned: ${nameOf(current)}.`);
    } catch (error) {
      complain(error);
    }
  }

  /** A colour came from the photo or from another one. @param {string} color */
  picked(color) {
    if (this.editor.isOpen) {
      this.editor.take(color);
      announce(`Took ${nameOf(color)}.`);
    } else toast("Click a place in the photo first; then the picked colour goes there.");
    if (this.tool === "pick") this.setTool(this.toolBefore);
  }

  /** @param {number} index */
  choose(index) {
    this.colouring.select(index);
    const chosen = this.colouring.chosen;
    if (chosen && !this.view.isFitted) this.view.reveal(chosen.x, chosen.y);
  }

  /** @param {Point} place */
  invited(place) {
    this.view.reveal(place.x, place.y);
    this.click(place);
    block("suggestions").querySelector("button")?.focus();
  }

  /** @param {readonly import("./hints.js").Hint[]} hints */
  startFrom(hints) {
    this.colouring.select(null);
    this.colouring.commit({ hints: hints.map((one) => hint(one)) });
  }

  /** @param {File} photo */
  async colourLike(photo) {
    const match = button("reference-match");
    match.disabled = true;
    try {
      this.startFrom((await this.engine?.reference(photo, this.colouring.version)) ?? this.colouring.hints);
    } catch (error) {
      complain(error);
    }
    match.disabled = false;
  }

  // --- tools, views, drawers ---

  /** @param {Tool} tool */
  setTool(tool) {
    if (tool !== this.tool && this.tool !== "pick") this.toolBefore = this.tool;
    this.tool = tool;
    block("stage").dataset.tool = tool;
    for (const one of document.querySelectorAll("[data-tool]")) {
      if (one instanceof HTMLButtonElement) one.setAttribute("aria-pressed", String(one.dataset.tool === tool));
    }
  }

  /** @param {string} view @param {boolean} on */
  #press(view, on) {
    document.querySelector(`[data-view="${view}"]`)?.setAttribute("aria-pressed", String(on));
  }

  /** @param {string} view */
  toggleView(view) {
    const pressed = document.querySelector(`[data-view="${view}"]`)?.getAttribute("aria-pressed") === "true";
    if (view === "compare") this.compare.toggle(!pressed);
    else if (view === "guessing") this.showGuessing(!pressed);
    else if (view === "panel") this.#togglePanel(!pressed);
    else this.#toggleDrawer(view, !pressed);
  }

  /** @param {boolean} on */
  showGuessing(on) {
    if (on) this.editor.setReach(false);
    this.#press("guessing", on);
    if (on) this.overlays.showGuessing();
    else this.overlays.hide();
  }

  /** @param {number | null} index */
  showReach(index) {
    if (index !== null) {
      this.#press("guessing", false);
      this.overlays.showReach(index);
    } else if (this.overlays.kind === "reach") this.overlays.hide();
  }

  /** @param {boolean} on */
  #togglePanel(on) {
    this.#press("panel", on);
    document.body.dataset.panel = String(on);
  }

  /** @param {string} id @param {boolean} on */
  #toggleDrawer(id, on) {
    this.closeDrawers();
    this.#press(id, on);
    block(id).hidden = !on;
    if (on && id === "ideas") this.ideas.show();
    if (on && id === "reference" && !this.reference.photo) input("reference-file").click();
  }

  closeDrawers() {
    for (const id of ["ideas", "reference"]) {
      block(id).hidden = true;
      this.#press(id, false);
    }
  }

  /** Choose the next hint and put the focus on its mark. */
  next() {
    const count = this.colouring.hints.length;
    if (count === 0) return;
    this.choose(((this.colouring.selected ?? -1) + 1) % count);
    /** @type {HTMLElement | undefined} */ (block("marks").children[this.colouring.selected ?? 0])?.focus();
  }

  close() {
    if (this.tool === "pick") this.setTool(this.toolBefore);
    else if (this.editor.isOpen) this.editor.close();
    else if (document.body.dataset.panel === "true") this.#togglePanel(false);
    else if (!dismiss()) this.closeDrawers();
  }

  /** @param {boolean} on */
  #showBusy(on) {
    document.body.dataset.busy = String(on);
    block("busy").hidden = !on;
  }

  // --- files ---

  /** @param {import("./engine.js").FileOptions} options */
  async download(options) {
    try {
      const file = await this.engine?.file(this.colouring.version, options);
      if (!file) return;
      save(file, `${stem(this.name)}.colorized.${suffixOf(options.format)}`);
      succeeded();
    } catch (error) {
      complain(error);
    }
  }

  saveHints() {
    const text = dump(this.colouring.hints);
    save(new Blob([text], { type: "application/json" }), `${stem(this.name)}.hints.json`);
    closeDialog("hints-dialog");
  }

  /** @param {File} file */
  async openHints(file) {
    try {
      if (!this.engine) throw new Error("Open the photo first, then its hints.");
      this.startFrom(load(await file.text()));
      closeDialog("hints-dialog");
      succeeded();
      announce(`${this.colouring.hints.length} hints opened.`);
    } catch (error) {
      complain(error);
    }
  }
}

/** Say it before a large file is sent in vain. @param {File} photo */
async function refuseTooLarge(photo) {
  if (photo.size === 0) throw new Error("This file is empty. Choose another one.");
  const { body } = await limits();
  if (photo.size <= body - 4096) return;
  const [has, takes] = [photo.size, body].map((size) => Math.ceil(size / (1 << 20)));
  throw new Error(
    `This file has ${has} MiB, and the server takes ${takes}. ` +
      `Start it with "photochrom serve --max-body ${has + 1}", or use "photochrom colorize".`,
  );
}
