// The list of hints in the panel: the same as the marks on the photo, in words; found ones are one row.

import { block, button, make, refill } from "./dom.js";
import { nameOf } from "./names.js";

/** @typedef {import("./document.js").Coloring} Coloring */
/** @typedef {import("./hints.js").Hint} Hint */

const MOST_ROWS = 200;

/** Shows a coloring's hints as a list. */
export class HintList {
  /** @param {(index: number) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.list = block("hints");
    this.showsFound = false;
  }

  /** @param {Coloring} coloring @param {AbortSignal} signal */
  open(coloring, signal) {
    for (const event of ["change", "select"]) coloring.addEventListener(event, () => this.draw(coloring), { signal });
    this.draw(coloring);
  }

  /** @param {Coloring} coloring */
  draw(coloring) {
    const { hints, selected } = coloring;
    block("hints-count").textContent = hints.length ? String(hints.length) : "";
    block("hints-empty").hidden = hints.length > 0;
    button("clear").hidden = hints.length === 0;
    block("stage").dataset.found = this.showsFound ? "shown" : "hidden";
    const rows = hints.flatMap((hint, index) => (hint.found && !this.showsFound ? [] : [this.#row(hint, index, index === selected)]));
    const rest = rows.splice(MOST_ROWS).length;
    if (rest) rows.push(make("li", { class: "quiet" }, `and ${rest} more`));
    if (hints.some(({ found }) => found)) rows.push(this.#group(coloring));
    refill(this.list, rows);
  }

  /** @param {Hint} hint @param {number} index @param {boolean} chosen */
  #row(hint, index, chosen) {
    const swatch = make("span", { class: "swatch" });
    swatch.style.setProperty("--color", hint.color);
    const kind = hint.alike ? "all of this kind" : hint.within ? "only here" : hint.path.length ? "stroke" : "dot";
    const row = make("button", { type: "button", class: "hint-row", "aria-pressed": String(chosen) },
      swatch, make("span", {}, `${index + 1}. ${nameOf(hint.color)}`), make("span", { class: "quiet" }, kind));
    row.addEventListener("click", () => this.onChoose(index));
    return make("li", {}, row);
  }

  /** All that another photo gave, in one row. @param {Coloring} coloring */
  #group(coloring) {
    const count = coloring.hints.filter(({ found }) => found).length;
    const show = make("button", { type: "button", class: "link" }, this.showsFound ? "Hide" : "Show");
    show.addEventListener("click", () => {
      this.showsFound = !this.showsFound;
      this.draw(coloring);
    });
    const remove = make("button", { type: "button", class: "link" }, "Remove");
    remove.addEventListener("click", () => {
      coloring.select(null);
      coloring.commit({ hints: coloring.hints.filter(({ found }) => !found) }, "Without the other photo's colors");
    });
    return make("li", { class: "group" }, make("span", {}, `${count} colors from another photo`), show, remove);
  }
}
