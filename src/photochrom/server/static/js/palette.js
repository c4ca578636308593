// The whole photo's colors: a palette to keep to, and the photo's own faded color as a start.

import { nameOf } from "./names.js";
import { block, button, input, make, refill } from "./dom.js";

/** @typedef {import("./engine.js").ServerEngine} Engine */
/** @typedef {import("./document.js").Coloring} Coloring */

/** Shows and changes a coloring's palette. */
export class Palette {
  constructor() {
    this.list = block("palette");
    this.own = input("own-color");
    /** @type {Coloring | null} */
    this.coloring = null;
    button("palette-add").addEventListener("click", () => this.#add(input("palette-color").value));
    button("palette-clear").addEventListener("click", () => this.coloring?.commit({ palette: [] }));
    this.own.addEventListener("change", () => this.coloring?.commit({ ownColor: this.own.checked }));
  }

  /** @param {Engine} engine @param {Coloring} coloring @param {AbortSignal} signal */
  open(engine, coloring, signal) {
    this.coloring = coloring;
    block("own-line").hidden = !engine.info.colored;
    coloring.addEventListener("change", () => this.draw(), { signal });
    this.draw();
  }

  /** @param {string} color */
  #add(color) {
    const { coloring } = this;
    if (coloring && !coloring.version.palette.includes(color)) {
      coloring.commit({ palette: [...coloring.version.palette, color] });
    }
  }

  draw() {
    const { palette, ownColor } = this.coloring?.version ?? { palette: [], ownColor: false };
    this.own.checked = ownColor;
    button("palette-clear").hidden = palette.length === 0;
    refill(
      this.list,
      palette.map((color) => {
        const label = `Take ${nameOf(color)} out of the palette`;
        const swatch = make("button", { type: "button", class: "swatch", "aria-label": label, title: label });
        swatch.style.setProperty("--color", color);
        swatch.addEventListener("click", () =>
          this.coloring?.commit({ palette: palette.filter((other) => other !== color) }),
        );
        return make("li", {}, swatch);
      }),
    );
  }
}
