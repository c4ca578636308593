// What the person has made of a photo: the steps so far, where they stand in them, which hint is chosen.

import { told } from "./history.js";

/** @typedef {import("./hints.js").Hint} Hint */
/** @typedef {{hints: readonly Hint[], vividness: number, palette: readonly string[], ownColor: boolean, model: string}} Version its model is "" for the server's own */
/** @typedef {{did: string, version: Version}} Step what was done, and what came of it */

const MOST_STEPS = 500;

/** The colors of one photo, with all steps. "change" tells of new colors, "select" of another choice. */
export class Coloring extends EventTarget {
  /** @param {number} vividness */
  constructor(vividness) {
    super();
    this.usualVividness = vividness;
    /** @type {Step[]} */
    this.steps = [{ did: "Automatic colors", version: { hints: [], vividness, palette: [], ownColor: false, model: "" } }];
    this.at = 0;
    /** @type {Version | null} of an unfinished drag */
    this.dragged = null;
    this.saved = this.version; // the last one that went into a file
    /** @type {number | null} the chosen hint */
    this.selected = null;
  }

  get version() {
    return this.dragged ?? this.steps[this.at].version;
  }

  get hints() {
    return this.version.hints;
  }

  get vividness() {
    return this.version.vividness;
  }

  get chosen() {
    return this.selected === null ? null : (this.hints[this.selected] ?? null);
  }

  get isUnsaved() {
    return this.version !== this.saved;
  }

  /** Take a new version as one step. @param {Partial<Version>} parts @param {string} [did] */
  commit(parts, did) {
    this.dragged = { ...this.version, ...parts };
    this.#step(did);
    this.#changed();
  }

  /** Take a version as part of a drag: one step in the end, when `settle` is called. @param {Partial<Version>} parts */
  drag(parts) {
    this.dragged = { ...this.version, ...parts };
    this.#changed();
  }

  /** End a drag; without any change there is no step. */
  settle() {
    this.#step();
    this.dispatchEvent(new Event("settle"));
  }

  /** @param {Hint} hint */
  add(hint) {
    this.selected = this.hints.length;
    this.commit({ hints: [...this.hints, hint] });
    this.dispatchEvent(new Event("select"));
  }

  /**
   * Change a hint, within a drag or as a step.
   * @param {number} index @param {Partial<Hint>} parts @param {boolean} [dragging]
   */
  edit(index, parts, dragging = false) {
    const hints = this.hints.map((hint, at) => (at === index ? { ...hint, ...parts } : hint));
    if (dragging) this.drag({ hints });
    else this.commit({ hints });
  }

  /** @param {number} index */
  remove(index) {
    if (this.selected !== null) this.selected = this.selected === index ? null : this.selected - Number(this.selected > index);
    this.commit({ hints: this.hints.filter((_, at) => at !== index) });
    this.dispatchEvent(new Event("select"));
  }

  /** @param {number | null} index */
  select(index) {
    if (this.selected === index) return;
    this.selected = index;
    this.dispatchEvent(new Event("select"));
  }

  undo = () => this.goTo(this.at - 1);
  redo = () => this.goTo(this.at + 1);

  /** Go to a step, back or forth. @param {number} at */
  goTo(at) {
    if (!this.steps[at]) return;
    this.dragged = null;
    this.at = at;
    this.#changed();
  }

  /** Go on from steps that were kept. @param {{steps: Step[], at: number}} kept */
  restore({ steps, at }) {
    this.steps = steps;
    this.goTo(at);
    this.saved = this.version;
  }

  /** @param {string} [did] */
  #step(did) {
    const [before, version] = [this.steps[this.at].version, this.version];
    this.dragged = null;
    if (version === before) return;
    this.steps.splice(this.at + 1, Infinity, { did: did ?? told(before, version), version });
    if (this.steps.length > MOST_STEPS) this.steps.splice(1, 1); // the first, automatic one stays
    this.at = this.steps.length - 1;
  }

  #changed() {
    if (this.selected !== null && this.selected >= this.hints.length) this.select(null);
    this.dispatchEvent(new Event("change"));
  }
}
