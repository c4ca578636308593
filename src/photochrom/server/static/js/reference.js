// The drawer of another photo: pick colors from it, or color the whole photo like it.

import { toLab } from "./color.js";
import { block, button, canvas, context, input } from "./dom.js";

/**
 * @typedef {object} Desk what the drawer asks of the studio
 * @property {(rgb: ArrayLike<number>) => void} onPicked
 * @property {(photo: File, all: boolean) => Promise<void>} onMatch
 * @property {(photo: File) => Promise<Blob>} readable a picture that the browser can show, of any photo
 * @property {(error: unknown) => void} onError
 */

const LARGEST = 900; // pixels of the longer side
const GREY = 3; // mean chroma below which a photo has no colors to give

/** Shows another photo, once it is known to have colors. */
export class Reference {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.surface = canvas("reference-canvas");
    /** @type {File | null} */
    this.photo = null;
    this.surface.addEventListener("click", (event) => {
      const { left, top, width, height } = this.surface.getBoundingClientRect();
      const x = Math.floor(((event.clientX - left) / width) * this.surface.width);
      const y = Math.floor(((event.clientY - top) / height) * this.surface.height);
      desk.onPicked(context(this.surface).getImageData(x, y, 1, 1).data);
    });
    button("reference-match").addEventListener("click", () => this.#match(false));
    button("reference-match-all").addEventListener("click", () => this.#match(true));
    button("reference-choose").addEventListener("click", () => input("reference-file").click());
  }

  /** @param {boolean} all */
  async #match(all) {
    if (!this.photo) return;
    const buttons = [button("reference-match"), button("reference-match-all")];
    for (const one of buttons) one.disabled = true;
    await this.desk.onMatch(this.photo, all);
    for (const one of buttons) one.disabled = false;
  }

  /** @param {File} photo */
  async load(photo) {
    try {
      const bitmap = await createImageBitmap(photo).catch(async () => createImageBitmap(await this.desk.readable(photo)));
      const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
      const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
      const drawn = context(Object.assign(document.createElement("canvas"), { width, height }));
      drawn.drawImage(bitmap, 0, 0, width, height);
      bitmap.close();
      if (meanChroma(drawn.getImageData(0, 0, width, height).data) < GREY) {
        throw new Error(`${photo.name} has no colors to take: choose a color photograph.`);
      }
      Object.assign(this.surface, { width, height, hidden: false });
      context(this.surface).drawImage(drawn.canvas, 0, 0);
      this.photo = photo;
      block("reference-match").hidden = false;
      block("reference-match-all").hidden = block("strip").hidden;
    } catch (error) {
      this.desk.onError(error);
    }
  }
}

/** Of a few thousand places. @param {Uint8ClampedArray} data */
function meanChroma(data) {
  const step = 4 * Math.max(1, Math.floor(data.length / 4 / 4000));
  let [sum, count] = [0, 0];
  for (let at = 0; at < data.length; at += step) {
    const [, a, b] = toLab(data.subarray(at, at + 3));
    sum += Math.hypot(a, b);
    count += 1;
  }
  return sum / count;
}
