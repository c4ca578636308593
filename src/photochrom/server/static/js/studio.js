// The studio: tools, views and panels around the photo on the stage, and how they work together.

import { Album, Entry } from "./album.js";
import { Compare } from "./compare.js";
import { toHex } from "./color.js";
import { Coloring } from "./document.js";
import { block, button, input } from "./dom.js";
import { Editor } from "./editor.js";
import { ServerEngine } from "./engine.js";
import { hint, NEAR, simplify } from "./hints.js";
import { HintList } from "./hintlist.js";
import { History } from "./history.js";
import { Ideas } from "./ideas.js";
import { Keeping } from "./keeping.js";
import { Marks } from "./marks.js";
import { ModelMenu } from "./models.js";
import { nameOf } from "./names.js";
import { Overlays } from "./overlays.js";
import { Palette } from "./palette.js";
import { Reference } from "./reference.js";
import { Ruler } from "./ruler.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { announce, complain, complainOfAll, dismiss, succeeded, toast } from "./talk.js";
import { View } from "./view.js";

/** @typedef {"hint" | "stroke" | "pin" | "pick" | "lasso"} Tool */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {{file: File, handle?: FileSystemFileHandle}} Brought */

const STROKE_TOLERANCE = 0.0015; // of the photo's side, how far a simplified stroke may leave the drawn one
const STROKE_RADIUS = 0.008;
const READINGS = ["guessing", "ideas"]; // views that need a model with a distribution
const NO_DISTRIBUTION = "This model gives one color for a place and says no more: choose another model for that.";
const PASSING = ["pick", "lasso"]; // tools that serve once, then the one before is back

/** Everything on the page around one photo, and the album that it is from. */
export class Studio {
  constructor() {
    this.album = new Album();
    this.keeping = new Keeping(this.album, () => this.shown);
    this.view = new View();
    this.stage = new Stage(this.view, complain, () => this.#painted());
    this.marks = new Marks(this.view, (index) => this.choose(index));
    this.compare = new Compare(this.view, (on) => this.#press("compare", on));
    this.overlays = new Overlays(this.view, (place) => this.invited(place), complain);
    this.editor = new Editor({
      showDraft: (draft) => this.marks.showDraft(draft),
      colorAt: (x, y) => this.stage.colorAt(x, y),
      showReach: (index) => this.showReach(index),
      startPicking: () => this.setTool("pick"),
      startLasso: () => this.setTool("lasso"),
      onError: complain,
    });
    this.models = new ModelMenu(complain);
    this.list = new HintList((index) => this.choose(index));
    this.palette = new Palette();
    this.history = new History();
    this.ruler = new Ruler((color) => this.picked(color));
    this.strip = new Strip(this.album, (entry) => void this.show(entry), complain);
    this.ideas = new Ideas((hints, did) => this.startFrom(hints, did), (version) => this.stage.tryOut(version), complain);
    this.reference = new Reference({
      onPicked: (rgb) => this.picked(toHex(rgb)),
      onMatch: (photo, all) => this.colorLike(photo, all),
      readable,
      onError: complain,
    });
    /** @type {Tool} */
    this.tool = "hint";
    /** @type {Tool} */
    this.toolBefore = "hint";
    /** @type {import("./album.js").Ready | null} the photo on the stage */
    this.shown = null;
    this.coloring = new Coloring(0);
    this.showing = new AbortController();
    this.calls = 0;
    this.album.addEventListener("done", () => complainOfAll(this.album.failures.splice(0), !this.album.entries.length));
  }

  get engine() {
    return this.shown?.engine ?? null;
  }

  /** Photos came: the first goes onto the stage, the others into the strip. @param {Brought[]} brought */
  take(brought) {
    const entries = brought.map(({ file, handle }) => new Entry(file, handle));
    this.album.add(entries);
    return entries.length ? this.show(entries[0]) : undefined;
  }

  /** Bring a photo of the album onto the stage. @param {Entry} entry */
  async show(entry) {
    const { album } = this;
    if (album.current === entry) return;
    album.current = entry;
    const call = (this.calls += 1); // the same photo may be called for again while it opens
    album.changed();
    this.#showBusy(true);
    try {
      const ready = await album.open(entry);
      if (call === this.calls) await this.#show(ready);
    } catch (error) {
      if (call === this.calls) this.#goBack(entry, error);
    } finally {
      if (call === this.calls) this.#showBusy(false);
      album.changed();
    }
  }

  /** A photo cannot be shown: the one on the stage stays there, or any other takes its place. @param {Entry} failed @param {unknown} error */
  #goBack(failed, error) {
    const { entries } = this.album;
    this.album.current = entries.find((entry) => entry === this.shown && entry !== failed) ?? null;
    this.#showBusy(false);
    if (failed.state !== "failed") complain(error); // failures of opening are told when all are through
    else if (!this.album.current && entries.length) void this.show(entries[0]);
  }

  /** @param {import("./album.js").Ready} entry */
  async #show(entry) {
    this.showing.abort();
    this.showing = new AbortController();
    const { signal } = this.showing;
    this.shown = entry;
    this.coloring = entry.coloring;
    const { coloring, stage } = this;
    document.body.dataset.screen = "studio";
    block("welcome").hidden = true;
    block("studio").hidden = false;
    this.closeDrawers();
    this.compare.toggle(false);
    this.setTool("hint");
    await stage.open(entry.engine, coloring);
    if (signal.aborted) return;
    for (const part of [this.editor, this.overlays, this.ideas, this.palette]) part.open(entry.engine, coloring, signal);
    for (const part of [this.models, this.marks, this.list, this.history]) part.open(coloring, signal);
    coloring.addEventListener("change", () => this.#changed(), { signal });
    coloring.addEventListener("settle", () => this.#changed(false), { signal });
    this.#describe(entry);
    this.#changed(false);
    this.strip.reveal();
    stage.reveal();
    announce("The photo is in color.");
  }

  /** @param {import("./album.js").Ready} entry */
  #describe(entry) {
    const { width, height, warnings, colored } = entry.engine.info;
    block("photo-name").textContent = entry.name;
    block("photo-facts").textContent = `${width} × ${height}`;
    document.title = `${entry.name} – Photochrom`;
    const told = colored ? ["This photo had colors already; they are dropped.", ...warnings] : warnings;
    if (told.length) toast(told.join(" "));
    if (!entry.found) return;
    const steps = entry.found === 1 ? "a step" : `${entry.found} steps`;
    toast(`Your earlier work on this photo is back: ${steps}.`, "note", { label: "Start over", act: () => entry.coloring.goTo(0) });
    entry.found = 0;
  }

  /** @param {boolean} [render] */
  #changed(render = true) {
    const { coloring } = this;
    if (!this.models.hasDistribution) this.#leaveReadings();
    button("undo").disabled = coloring.at === 0;
    button("redo").disabled = coloring.at === coloring.steps.length - 1;
    input("vividness").value = String(coloring.vividness);
    block("vividness-out").textContent = coloring.vividness.toFixed(2);
    if (render) this.stage.update();
    if (!coloring.dragged) this.strip.draw();
  }

  /** The stage shows what the person has made. */
  #painted() {
    succeeded();
    this.ruler.draw();
  }

  // --- all photos ---

  /** Give all photos the look of this one: all but the hints, which each keeps. */
  forAll() {
    const { shown, coloring } = this;
    if (!shown) return;
    const { hints: _, ...look } = coloring.version;
    const did = `The look of ${shown.name}`;
    this.album.forOthers(shown, (other) => other.commit(look, did));
    const undo = () => this.album.forOthers(shown, (other) => other.steps[other.at].did === did && other.undo());
    toast("All photos have this look now; each keeps its hints.", "note", { label: "Undo", act: undo });
  }

  /** Take the photo on the stage out of the strip; what was made of it is kept in this browser. */
  closeShown() {
    const { album, shown } = this;
    const at = album.entries.findIndex((entry) => entry === shown);
    if (!shown || at < 0 || album.entries.length < 2) return; // it is closed already, or the only one
    album.remove(shown);
    void this.show(album.entries[Math.min(at, album.entries.length - 1)]);
  }

  /** Go to the photo before or after this one. @param {number} by */
  turn(by) {
    const { entries, current } = this.album;
    const next = entries[entries.findIndex((entry) => entry === current) + by];
    if (next) void this.show(next);
  }

  // --- what a person does on the photo ---

  /** @param {Point} at */
  click(at) {
    const { coloring, tool } = this;
    if (tool === "pick") this.picked(toHex(this.stage.colorAt(at.x, at.y)));
    else if (tool === "pin") void this.pin(at);
    else if (tool === "lasso") this.setTool(this.toolBefore);
    else this.editor.start(hint({ ...at, color: toHex(this.stage.colorAt(at.x, at.y)), radius: this.#lastRadius(coloring), reach: NEAR }));
  }

  /** New hints are as large as the last one. @param {Coloring} coloring */
  #lastRadius(coloring) {
    const dots = coloring.hints.filter(({ path, found }) => path.length === 0 && !found);
    return dots.at(-1)?.radius ?? hint({ x: 0, y: 0, color: "#808080" }).radius;
  }

  /** @param {Point[]} points @param {boolean} done */
  stroke(points, done) {
    if (points.length === 0) return this.marks.showDraft(this.editor.draft);
    const pairs = points.map(({ x, y }) => /** @type {[number, number]} */ ([x, y]));
    if (this.tool === "lasso") return this.#lasso(simplify(pairs, STROKE_TOLERANCE), done);
    const [first, ...path] = simplify(pairs, STROKE_TOLERANCE);
    const color = toHex(this.stage.colorAt(first[0], first[1]));
    const draft = hint({ x: first[0], y: first[1], color, radius: STROKE_RADIUS, path, reach: NEAR });
    if (done) this.editor.start(draft);
    else this.marks.showDraft(draft);
  }

  /** An outline around what the edited hint may change. @param {[number, number][]} outline @param {boolean} done */
  #lasso(outline, done) {
    this.marks.showOutline(done ? null : outline);
    if (!done) return;
    this.setTool(this.toolBefore);
    if (outline.length >= 3) this.editor.bound(outline);
  }

  /** Keep the color that a place has now. @param {Point} at */
  async pin(at) {
    const { engine, coloring } = this;
    if (!engine) return;
    try {
      const { current } = await engine.suggest(coloring.version, at.x, at.y, undefined, 0);
      coloring.add(hint({ ...at, color: current }));
      announce(`Pinned: ${nameOf(current)}.`);
    } catch (error) {
      complain(error);
    }
  }

  /** A color came from the photo or from another one. @param {string} color */
  picked(color) {
    if (this.editor.isOpen) {
      this.editor.take(color);
      announce(`Took ${nameOf(color)}.`);
    } else toast("Click a place in the photo first; then pick a color for it.");
    if (this.tool === "pick") this.setTool(this.toolBefore);
  }

  /** @param {number} index */
  choose(index) {
    this.coloring.select(index);
    const chosen = this.coloring.chosen;
    if (chosen && !this.view.isFitted) this.view.reveal(chosen.x, chosen.y);
  }

  /** @param {Point} place */
  invited(place) {
    this.view.reveal(place.x, place.y);
    this.click(place);
    block("suggestions").querySelector("button")?.focus();
  }

  /** @param {readonly import("./hints.js").Hint[]} hints @param {string} [did] */
  startFrom(hints, did) {
    this.coloring.select(null);
    this.coloring.commit({ hints: hints.map((one) => hint(one)) }, did);
  }

  /** Take the colors of another photo, for this one or for all. @param {File} photo @param {boolean} all */
  async colorLike(photo, all) {
    for (const entry of all ? this.album.entries : [this.shown]) {
      try {
        if (!entry) continue;
        const { engine, coloring } = await this.album.open(entry);
        const mine = () => coloring.hints.filter(({ found }) => !found);
        const asked = mine();
        const hints = await engine.reference(photo, { ...coloring.version, hints: asked });
        const found = hints.slice(asked.length).map((one) => ({ ...one, found: true }));
        coloring.select(null);
        coloring.commit({ hints: [...mine(), ...found] }, `Colored like ${photo.name}`);
        this.album.changed();
      } catch (error) {
        complain(all && entry ? new Error(`${entry.name}: ${error instanceof Error ? error.message : error}`) : error);
      }
    }
  }

  // --- tools, views, drawers ---

  /** @param {Tool} tool */
  setTool(tool) {
    if (!PASSING.includes(this.tool)) this.toolBefore = this.tool;
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
    if (READINGS.includes(view) && !this.models.hasDistribution) return toast(NO_DISTRIBUTION);
    if (view === "compare") this.compare.toggle(!pressed);
    else if (view === "guessing") this.showGuessing(!pressed);
    else if (view === "panel") this.#togglePanel(!pressed);
    else this.#toggleDrawer(view, !pressed);
  }

  /** Hide the dots on the photo, or show them again. */
  toggleDots() {
    const hidden = block("stage").dataset.dots === "hidden";
    block("stage").dataset.dots = hidden ? "shown" : "hidden";
    button("dots").setAttribute("aria-pressed", String(!hidden));
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

  /** What the model on the stage cannot give is not left standing. */
  #leaveReadings() {
    if (this.overlays.kind === "guessing") this.showGuessing(false);
    if (!block("ideas").hidden) this.closeDrawers();
  }

  closeDrawers() {
    for (const id of ["ideas", "reference"]) {
      block(id).hidden = true;
      this.#press(id, false);
    }
  }

  /** Choose the next hint and put the focus on its mark. */
  next() {
    const count = this.coloring.hints.length;
    if (count === 0) return;
    this.choose(((this.coloring.selected ?? -1) + 1) % count);
    /** @type {HTMLElement | undefined} */ (block("marks").children[this.coloring.selected ?? 0])?.focus();
  }

  close() {
    if (PASSING.includes(this.tool)) this.setTool(this.toolBefore);
    else if (this.editor.isOpen) this.editor.close();
    else if (document.body.dataset.panel === "true") this.#togglePanel(false);
    else if (!dismiss()) this.closeDrawers();
  }

  /** @param {boolean} on */
  #showBusy(on) {
    document.body.dataset.busy = String(on);
    block("busy").hidden = !on;
  }
}

/** A picture of a photo that this browser cannot decode; the server is done with it then. @param {File} photo */
async function readable(photo) {
  const engine = await ServerEngine.open(photo);
  return engine.original(900, null).finally(() => engine.close());
}
