// The card of the chosen hint, or of the place that waits for a color: suggestions, picker, size, weight.

import { atLuminance, parseHex, toLab } from "./color.js";
import { block, button, clamp, input, make, refill } from "./dom.js";
import { NEAR, reachOf, scaled } from "./hints.js";
import { Latest } from "./latest.js";
import { colorOf, MATERIALS } from "./materials.js";
import { nameOf, namesOf } from "./names.js";
import { DARKEST, Picker } from "./picker.js";

/** @typedef {import("./hints.js").Hint} Hint */
/** @typedef {import("./document.js").Coloring} Coloring */
/** @typedef {import("./engine.js").ServerEngine} Engine */
/** @typedef {import("./engine.js").Suggestion} Suggestion */
/**
 * @typedef {object} Desk what the editor asks of the studio
 * @property {(draft: Hint | null) => void} showDraft
 * @property {(x: number, y: number) => ArrayLike<number>} colorAt
 * @property {(index: number | null) => void} showReach
 * @property {() => void} startPicking
 * @property {() => void} startLasso
 * @property {(error: unknown) => void} onError
 */

const AROUND = 0.12; // of the photo's sides, a circle that bounds a hint
const RESIZING = 300; // ms of rest after which a new size is a step of its own

/** Edits a coloring's chosen hint, or the draft of a new one. */
export class Editor {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.card = block("editor");
    this.radius = input("radius");
    this.weight = input("weight");
    this.reach = input("reach");
    this.showReach = button("show-reach");
    this.picker = new Picker();
    this.asking = new Latest(desk.onError);
    /** @type {Coloring | null} */
    this.coloring = null;
    /** @type {Engine | null} */
    this.engine = null;
    /** @type {Hint | null} */
    this.draft = null;
    /** @type {Suggestion[]} */
    this.suggestions = [];
    this.place = ""; // for which the suggestions are
    this.resizing = 0;
    this.#listen();
  }

  #listen() {
    const { picker } = this;
    picker.addEventListener("drag", () => this.#recolor(picker.color, true));
    picker.addEventListener("pick", () => this.#recolor(picker.color, false));
    this.radius.addEventListener("input", () => this.#change({ radius: 10 ** Number(this.radius.value) }, true));
    this.radius.addEventListener("change", () => this.coloring?.settle());
    this.weight.addEventListener("input", () => this.#change({ weight: Number(this.weight.value) }, true));
    this.weight.addEventListener("change", () => this.coloring?.settle());
    this.reach.addEventListener("input", () => this.#change({ reach: reachAt(Number(this.reach.value)) }, true));
    this.reach.addEventListener("change", () => this.coloring?.settle());
    this.showReach.addEventListener("click", () => this.toggleReach());
    button("alike").addEventListener("click", () => this.#change(this.hint?.alike ? { alike: false, reach: NEAR } : { alike: true, reach: 1 }, false));
    button("only-here").addEventListener("click", (event) => this.#onlyHere(event.detail === 0));
    button("editor-delete").addEventListener("click", () => this.delete());
    button("editor-close").addEventListener("click", () => this.close());
    button("pick-color").addEventListener("click", () => this.desk.startPicking());
  }

  /** @param {Engine} engine @param {Coloring} coloring @param {AbortSignal} signal */
  open(engine, coloring, signal) {
    this.engine = engine;
    this.coloring = coloring;
    this.draft = null;
    this.place = "";
    this.asking.stop();
    coloring.addEventListener("select", () => this.#chosen(), { signal });
    for (const event of ["change", "settle"]) coloring.addEventListener(event, () => this.show(), { signal });
    this.show();
  }

  get isOpen() {
    return !this.card.hidden;
  }

  /** What is edited now. */
  get hint() {
    return this.draft ?? this.coloring?.chosen ?? null;
  }

  /** A place asks for a color. @param {Hint} draft */
  start(draft) {
    this.coloring?.select(null);
    this.draft = draft;
    this.desk.showDraft(draft);
    this.setReach(false);
    this.show();
  }

  /** Give the draft or the chosen hint a color; a draft becomes a hint by that. @param {string} color */
  take(color) {
    this.#recolor(color, false);
  }

  /** The suggestion of a number, counted from 1. @param {number} number */
  takeSuggestion(number) {
    const suggestion = this.suggestions[number - 1];
    if (this.isOpen && suggestion) this.take(suggestion.color);
  }

  close() {
    this.draft = null;
    this.desk.showDraft(null);
    this.setReach(false);
    this.coloring?.select(null);
    this.show();
  }

  delete() {
    const { coloring } = this;
    if (this.draft) return this.close();
    if (coloring && coloring.selected !== null) coloring.remove(coloring.selected);
  }

  /** Make what is edited larger or smaller; several times in a row are one step. @param {number} factor */
  resize(factor) {
    const { coloring, hint } = this;
    if (!hint) return;
    this.#change({ radius: scaled(hint.radius, factor) }, true);
    clearTimeout(this.resizing);
    this.resizing = setTimeout(() => coloring?.settle(), RESIZING);
  }

  /** Bound what is edited by an outline to come; by the keyboard, by a circle. @param {boolean} byKey */
  #onlyHere(byKey) {
    if (!this.hint) return;
    if (this.hint.within) this.bound(undefined);
    else if (byKey) this.bound(around(this.hint));
    else this.desk.startLasso();
  }

  /** @param {[number, number][] | undefined} within */
  bound(within) {
    this.#change({ within }, false);
  }

  toggleReach() {
    this.setReach(this.showReach.getAttribute("aria-pressed") !== "true");
  }

  /** @param {boolean} on */
  setReach(on) {
    const index = this.coloring?.selected ?? null;
    const shown = on && index !== null;
    this.showReach.setAttribute("aria-pressed", String(shown));
    this.desk.showReach(shown ? index : null);
  }

  #chosen() {
    if (this.coloring?.selected !== null && this.draft) {
      this.draft = null;
      this.desk.showDraft(null);
    }
    if (this.showReach.getAttribute("aria-pressed") === "true") this.setReach(true);
    this.show();
  }

  /** @param {string} color @param {boolean} dragging */
  #recolor(color, dragging) {
    const { coloring, draft } = this;
    if (!coloring) return;
    if (!draft) return this.#change({ color }, dragging);
    this.draft = null;
    this.desk.showDraft(null);
    coloring.add({ ...draft, color });
  }

  /** @param {Partial<Hint>} parts @param {boolean} dragging */
  #change(parts, dragging) {
    const { coloring } = this;
    if (this.draft) {
      this.draft = { ...this.draft, ...parts };
      this.desk.showDraft(this.draft);
      return this.show();
    }
    if (!coloring || coloring.selected === null) return;
    if (dragging) coloring.edit(coloring.selected, parts, true);
    else if (coloring.dragged) {
      coloring.edit(coloring.selected, parts, true);
      coloring.settle();
    } else coloring.edit(coloring.selected, parts);
  }

  /** Draw the card for what is edited now. */
  show() {
    const { hint } = this;
    this.card.hidden = !hint;
    block("start").hidden = Boolean(hint) || Boolean(this.coloring?.hints.length);
    document.body.dataset.editing = String(Boolean(hint));
    if (!hint) return;
    const number = (this.coloring?.selected ?? 0) + 1;
    block("editor-title").textContent = this.draft ? "Which color?" : `Hint ${number}, ${nameOf(hint.color)}`;
    block("editor-swatch").style.setProperty("--color", this.draft ? "transparent" : hint.color);
    this.showReach.hidden = Boolean(this.draft);
    button("alike").setAttribute("aria-pressed", String(Boolean(hint.alike)));
    button("only-here").setAttribute("aria-pressed", String(Boolean(hint.within)));
    button("only-here").textContent = hint.within ? "Only here" : "Only here…";
    this.radius.value = String(Math.log10(hint.radius));
    block("radius-out").textContent = `${(100 * hint.radius).toFixed(1)} %`;
    this.weight.value = String(hint.weight);
    block("weight-out").textContent = `${Math.round(100 * hint.weight)} %`;
    this.reach.value = String(Math.log10(hint.reach ?? 1));
    block("reach-out").textContent = reachOf(hint);
    const luminance = this.coloring?.dragged ? this.picker.luminance : toLab(this.desk.colorAt(hint.x, hint.y))[0];
    this.picker.show(hint.color, luminance);
    this.#showSwatches(luminance);
    this.#askSuggestions(hint);
  }

  /** @param {Hint} hint */
  #askSuggestions(hint) {
    const { engine, coloring } = this;
    const place = `${hint.x.toFixed(4)},${hint.y.toFixed(4)},${coloring?.version.model}`;
    if (!engine || !coloring || coloring.dragged || place === this.place) return;
    this.place = place;
    this.suggestions = [];
    if (document.body.dataset.distribution === "false") return block("suggestions").replaceChildren();
    const others = coloring.hints.filter((_, index) => index !== coloring.selected);
    this.asking.ask(async (signal) => {
      const { suggestions } = await engine.suggest({ ...coloring.version, hints: others }, hint.x, hint.y, signal);
      if (signal.aborted || place !== this.place) return;
      this.suggestions = suggestions;
      const shown = suggestions.map(({ color }) => seen(color));
      const names = namesOf(shown);
      block("suggestions").replaceChildren(
        ...suggestions.map((suggestion, at) => this.#suggestion(suggestion, shown[at], names[at], at)),
      );
    });
  }

  /** @param {Suggestion} suggestion @param {string} shown @param {string} name @param {number} at */
  #suggestion({ color, probability }, shown, name, at) {
    const share = probability < 0.01 ? "under 1 %" : `${Math.round(100 * probability)} %`;
    const bar = make("span", { class: "bar-fill" });
    bar.style.width = `${Math.max(100 * probability, 2)}%`;
    const swatch = make("span", { class: "swatch" });
    swatch.style.setProperty("--color", shown);
    const chip = make(
      "button",
      { type: "button", class: "suggestion", title: `Key ${at + 1}`, "data-color": color },
      swatch,
      make("span", { class: "suggestion-name" }, name),
      make("span", { class: "share" }, share),
      make("span", { class: "bar-track", "aria-hidden": "true" }, bar),
    );
    chip.addEventListener("click", () => this.take(color));
    return make("li", {}, chip);
  }

  /** Colors of hints of this photo, and of materials at the luminance of the place. @param {number} luminance */
  #showSwatches(luminance) {
    const used = [...new Set(this.coloring?.hints.filter(({ found }) => !found).map(({ color }) => color))].slice(-9);
    const key = `${Math.round(luminance / 4)} ${used}`;
    const list = block("materials");
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    const names = namesOf(used);
    block("used-section").hidden = used.length === 0;
    refill(block("used"), used.map((color, at) => this.#swatch(names[at], color)));
    refill(list, MATERIALS.map(([name, knots]) => this.#swatch(name, colorOf(knots, luminance), name)));
  }

  /** @param {string} name @param {string} color @param {string} [text] */
  #swatch(name, color, text) {
    const dot = make("span", { class: "swatch" });
    dot.style.setProperty("--color", seen(color));
    const take = make("button", { type: "button", class: text ? "material" : "used-color", title: name }, dot);
    if (text) take.append(text);
    else take.setAttribute("aria-label", name);
    take.addEventListener("click", () => this.take(color));
    return make("li", {}, take);
  }
}

/** A hint's reach at a place of its slider, -1 to 1. @param {number} place */
const reachAt = (place) => Number((10 ** place).toPrecision(2));

/** Twelve points around a hint. @param {Hint} hint */
const around = ({ x, y }) =>
  Array.from({ length: 12 }, (_, at) => {
    const angle = (Math.PI * at) / 6;
    return /** @type {[number, number]} */ ([clamp(x + AROUND * Math.cos(angle), 0, 1), clamp(y + AROUND * Math.sin(angle), 0, 1)]);
  });

/** A color light enough to be told from others. @param {string} color */
const seen = (color) => (toLab(parseHex(color) ?? [128, 128, 128])[0] < DARKEST ? atLuminance(color, DARKEST) : color);
