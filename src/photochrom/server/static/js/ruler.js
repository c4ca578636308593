// The ruler: the colors of the photo as it is now, by the room that they take.

import { fromLab, toHex, toLab, toPolar } from "./color.js";
import { block, canvas, context, make, refill } from "./dom.js";
import { namesOf } from "./names.js";

const SIDE = 96; // pixels that the photo is looked at with
const CELL = 14; // of a* and b*
const MOST = 12;
const GREY = 5; // chroma below which a color is none

/** Shows the colors of the photo on the stage. */
export class Ruler {
  /** @param {(color: string) => void} onTaken */
  constructor(onTaken) {
    this.onTaken = onTaken;
    this.small = context(Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE }), { willReadFrequently: true });
  }

  draw() {
    const colors = this.#colors();
    const names = namesOf(colors.map(({ color }) => color));
    const all = colors.reduce((sum, { count }) => sum + count, 0);
    refill(
      block("ruler"),
      colors.map(({ color, count }, at) => {
        const share = Math.round((100 * count) / all);
        const label = `${names[at]}, ${share < 1 ? "under 1" : share} % of the colored places`;
        const part = make("button", { type: "button", class: "ruler-part", "aria-label": label, title: label });
        part.style.setProperty("--color", color);
        part.style.flexGrow = String(Math.max(count / all, 0.04));
        part.addEventListener("click", () => this.onTaken(color));
        return make("li", {}, part);
      }),
    );
  }

  /** Mean colors of cells of the ab plane, the largest first, in order of hue. */
  #colors() {
    this.small.drawImage(canvas("after"), 0, 0, SIDE, SIDE);
    const { data } = this.small.getImageData(0, 0, SIDE, SIDE);
    /** @type {Map<string, {sum: [number, number, number], count: number}>} */
    const cells = new Map();
    for (let at = 0; at < data.length; at += 4) {
      const lab = toLab(data.subarray(at, at + 3));
      if (Math.hypot(lab[1], lab[2]) < GREY) continue;
      const key = `${Math.round(lab[1] / CELL)},${Math.round(lab[2] / CELL)}`;
      const cell = cells.get(key) ?? { sum: [0, 0, 0], count: 0 };
      lab.forEach((value, channel) => (cell.sum[channel] += value));
      cell.count += 1;
      cells.set(key, cell);
    }
    return [...cells.values()]
      .sort((one, other) => other.count - one.count)
      .slice(0, MOST)
      .map(({ sum: [l, a, b], count }) => ({ lab: /** @type {[number, number, number]} */ ([l / count, a / count, b / count]), count }))
      .sort((one, other) => toPolar(one.lab).hue - toPolar(other.lab).hue)
      .map(({ lab, count }) => ({ color: toHex(fromLab(lab)), count }));
  }
}
