// What things are made of, and the colors that they have in shadow and in light.

import { fromLab, inGamut, mostChroma, toHex, toPolar } from "./color.js";

/** @typedef {import("./color.js").Triple} Triple */

/** Of each its name and L*, a*, b* at a few luminances; between them the color goes straight. @type {[string, Triple[]][]} */
export const MATERIALS = [
  ["fair skin", [[20, 10, 12], [45, 16, 21], [70, 14, 20], [88, 7, 12]]],
  ["brown skin", [[15, 8, 10], [35, 14, 20], [60, 15, 24], [80, 9, 16]]],
  ["lips", [[20, 18, 9], [45, 28, 14], [70, 24, 12]]],
  ["fair hair", [[25, 7, 18], [55, 7, 28], [80, 3, 24]]],
  ["brown hair", [[12, 5, 6], [30, 9, 14], [55, 10, 20]]],
  ["red hair", [[20, 16, 18], [45, 24, 32], [70, 18, 34]]],
  ["gray hair", [[15, 0, 1], [85, 0, 3]]],
  ["sky", [[35, -2, -38], [60, -4, -28], [80, -4, -16], [95, -1, -4]]],
  ["water", [[20, -4, -12], [45, -8, -16], [75, -6, -10], [92, -2, -3]]],
  ["grass", [[20, -12, 16], [45, -18, 30], [70, -16, 36], [88, -8, 22]]],
  ["leaves", [[15, -9, 11], [38, -17, 24], [65, -17, 30]]],
  ["soil", [[15, 6, 9], [35, 9, 17], [60, 7, 20]]],
  ["sand", [[40, 4, 18], [70, 4, 20], [90, 1, 12]]],
  ["stone", [[20, 0, 3], [50, 1, 6], [85, 0, 6]]],
  ["brick", [[20, 16, 14], [42, 26, 24], [65, 20, 22]]],
  ["wood", [[18, 7, 10], [42, 11, 22], [68, 8, 24], [85, 4, 16]]],
  ["paper", [[50, 3, 12], [80, 1, 12], [95, 0, 6]]],
  ["brass", [[25, 3, 20], [55, 5, 38], [80, 1, 34]]],
  ["khaki", [[20, 0, 10], [50, 1, 18], [75, 0, 18]]],
  ["navy cloth", [[12, 4, -16], [30, 4, -22], [50, 2, -22]]],
  ["denim", [[20, 0, -16], [45, -2, -22], [70, -3, -14]]],
  ["wine red", [[15, 24, 8], [32, 34, 12], [50, 30, 10]]],
  ["linen", [[40, 0, -3], [75, 0, 1], [95, 0, 3]]],
  ["gray", [[50, 0, 0]]],
];

/** "#rrggbb" that a material has at a luminance (L*); black and white have no color. @param {readonly Triple[]} known @param {number} l */
export function colorOf(known, l) {
  /** @type {Triple[]} */
  const knots = [[-1, 0, 0], ...known, [101, 0, 0]];
  const next = knots.findIndex(([level]) => level >= l);
  const [from, to] = [knots[next - 1], knots[next]];
  const share = (l - from[0]) / (to[0] - from[0]);
  const [a, b] = [1, 2].map((at) => from[at] + share * (to[at] - from[at]));
  if (inGamut([l, a, b])) return toHex(fromLab([l, a, b]));
  const { hue, chroma } = toPolar([l, a, b]);
  const fits = Math.min(mostChroma(l, hue) / chroma, 1);
  return toHex(fromLab([l, a * fits, b * fits]));
}
