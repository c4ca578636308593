// The list of hints in the panel: the same as the marks on the photo, in words.

import { nameOf } from "./color.js";
import { block, button, make } from "./dom.js";

/** @typedef {import("./document.js").Colouring} Colouring */

const MOST_ROWS = 200;

/** Shows a colouring's hints as a list. */
export class HintList {
  /** @param {(index: number) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.list = block("hints");
  }

  /** @param {Colouring} colouring */
  open(colouring) {
    colouring.addEventListener("change", () => this.draw(colouring));
    colouring.addEventListener("select", () => this.draw(colouring));
    this.draw(colouring);
  }

  /** @param {Colouring} colouring */
  draw(colouring) {
    const { hints, selected } = colouring;
    block("hints-count").textContent = hints.length ? String(hints.length) : "";
    block("hints-empty").hidden = hints.length > 0;
    button("clear").hidden = hints.length === 0;
    const rows = hints.slice(0, MOST_ROWS).map((hint, index) => {
      const swatch = make("span", { class: "swatch" });
      swatch.style.setProperty("--color", hint.color);
      const kind = hint.path.length ? "stroke" : "dot";
      const row = make("button", { type: "button", class: "hint-row", "aria-pressed": String(index === selected) },
        swatch, make("span", {}, `${index + 1}. ${nameOf(hint.color)}`), make("span", { class: "quiet" }, kind));
      row.addEventListener("click", () => this.onChoose(index));
      return make("li", {}, row);
    });
    if (hints.length > MOST_ROWS) rows.push(make("li", { class: "quiet" }, `and ${hints.length - MOST_ROWS} more`));
    this.list.replaceChildren(...rows);
  }
}
