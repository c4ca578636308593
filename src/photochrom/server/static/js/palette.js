// The whole photo's colours: a palette to keep to, and the photo's own faded colour as a start.

import { nameOf } from "./names.js";
import { block, button, input, make } from "./dom.js";

/** @typedef {import("./engine.js").ServerEngine} Engine */
/** @typedef {import("./document.js").Colouring} Colouring */

/** Shows and changes a colouring's palette. */
export class Palette {
  constructor() {
    this.list = block("palette");
    this.own = input("own-color");
    /** @type {Colouring | null} */
    this.colouring = null;
    button("palette-add").addEventListener("click", () => this.#add(input("palette-color").value));
    button("palette-clear").addEventListener("click", () => this.colouring?.commit({ palette: [] }));
    this.own.addEventListener("change", () => this.colouring?.commit({ ownColor: this.own.checked }));
  }

  /** @param {Engine} engine @param {Colouring} colouring @param {AbortSignal} signal */
  open(engine, colouring, signal) {
    this.colouring = colouring;
    block("own-line").hidden = !engine.info.colored;
    colouring.addEventListener("change", () => this.draw(), { signal });
    this.draw();
  }

  /** @param {string} color */
  #add(color) {
    const { colouring } = this;
    if (colouring && !colouring.version.palette.includes(color)) {
      colouring.commit({ palette: [...colouring.version.palette, color] });
    }
  }

  draw() {
    const { palette, ownColor } = this.colouring?.version ?? { palette: [], ownColor: false };
    this.own.checked = ownColor;
    button("palette-clear").hidden = palette.length === 0;
    this.list.replaceChildren(
      ...palette.map((color) => {
        const label = `Take ${nameOf(color)} out of the palette`;
        const swatch = make("button", { type: "button", class: "swatch", "aria-label": label, title: label });
        swatch.style.setProperty("--color", color);
        swatch.addEventListener("click", () =>
          this.colouring?.commit({ palette: palette.filter((other) => other !== color) }),
        );
        return make("li", {}, swatch);
      }),
    );
  }
}
