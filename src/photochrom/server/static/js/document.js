// What the person has made of a photo: hints, vividness, which hint is chosen, and the way back.

/** @typedef {import("./hints.js").Hint} Hint */
/** @typedef {{hints: readonly Hint[], vividness: number, palette: readonly string[], ownColor: boolean}} Version */

const LONGEST_HISTORY = 500;

/** The colours of one photo, with undo and redo. "change" tells of new colours, "select" of another choice. */
export class Colouring extends EventTarget {
  /** @param {number} vividness */
  constructor(vividness) {
    super();
    /** @type {Version} */
    this.version = { hints: [], vividness, palette: [], ownColor: false };
    this.usualVividness = vividness;
    /** @type {number | null} the chosen hint */
    this.selected = null;
    /** @type {Version[]} */
    this.past = [];
    /** @type {Version[]} */
    this.future = [];
    /** @type {Version | null} what an unfinished gesture started from */
    this.gesture = null;
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

  /** Take a new version as one step. @param {Partial<Version>} parts */
  commit(parts) {
    this.#remember(this.gesture ?? this.version);
    this.gesture = null;
    this.#show({ ...this.version, ...parts });
  }

  /** Take a version as part of a drag: one step in the end, when `settle` is called. @param {Partial<Version>} parts */
  drag(parts) {
    this.gesture ??= this.version;
    this.#show({ ...this.version, ...parts });
  }

  /** End a drag; without any change there is no step. */
  settle() {
    const before = this.gesture;
    this.gesture = null;
    if (before && before !== this.version) this.#remember(before);
    this.dispatchEvent(new Event("settle"));
  }

  /** Give up a drag. */
  cancel() {
    if (!this.gesture) return;
    const before = this.gesture;
    this.gesture = null;
    this.#show(before);
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

  undo() {
    const before = this.past.pop();
    if (!before) return;
    this.future.push(this.version);
    this.#show(before);
  }

  redo() {
    const after = this.future.pop();
    if (!after) return;
    this.past.push(this.version);
    this.#show(after);
  }

  /** @param {Version} version */
  #remember(version) {
    this.past.push(version);
    if (this.past.length > LONGEST_HISTORY) this.past.shift();
    this.future = [];
  }

  /** @param {Version} version */
  #show(version) {
    this.version = version;
    if (this.selected !== null && this.selected >= version.hints.length) this.select(null);
    this.dispatchEvent(new Event("change"));
  }
}
