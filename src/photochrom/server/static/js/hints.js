// Hints and the file that keeps them: the same form that `photochrom colorize --hints` takes.

import { clamp } from "./dom.js";

/**
 * @typedef {object} Hint
 * @property {number} x fraction of the width
 * @property {number} y fraction of the height
 * @property {string} color "#rrggbb"
 * @property {number} radius fraction of the longer side
 * @property {number} weight 0..1
 * @property {[number, number][]} path further points of a stroke
 * @property {[number, number][]} [within] a closed path that bounds its reach
 * @property {boolean} [alike] it counts for all of this kind, wherever it is
 * @property {number} [reach] how far it spreads, times the usual
 * @property {number} [time] seconds from the start of a film; the studio keeps it
 * @property {boolean} [found] it was found in another photo; of this page only
 */

export const DEFAULT_RADIUS = 0.01;
export const NEAR = 0.6; // reach of a hint made by hand: it moves its own thing as the usual one does, and others less
const SMALLEST_RADIUS = 0.001;
const RADIUS_LIMIT = 0.5;

/** @param {number} radius @param {number} factor */
export const scaled = (radius, factor) => clamp(radius * factor, SMALLEST_RADIUS, RADIUS_LIMIT);

/** How far a hint spreads, in words. @param {Hint} hint */
export const reachOf = ({ reach = 1 }) => `× ${reach}`;

/** A hint with what is usual for what is not said. @param {Partial<Hint> & {x: number, y: number, color: string}} parts @returns {Hint} */
export const hint = (parts) => ({ radius: DEFAULT_RADIUS, weight: 1, path: [], ...parts });

/** The file's text; what is usual is left out. @param {readonly Hint[]} hints */
export function dump(hints) {
  return JSON.stringify({ version: 1, hints: hints.map(slim) }, null, 1) + "\n";
}

/** @param {Hint} full */
export function slim({ x, y, color, radius, weight, path, within, alike, reach = 1, time }) {
  return {
    x: round(x),
    y: round(y),
    color,
    ...(radius === DEFAULT_RADIUS ? {} : { radius: round(radius) }),
    ...(weight === 1 ? {} : { weight }),
    ...(path.length ? { path: path.map(([px, py]) => [round(px), round(py)]) } : {}),
    ...(within ? { within: within.map(([px, py]) => [round(px), round(py)]) } : {}),
    ...(alike ? { alike } : {}),
    ...(reach === 1 ? {} : { reach }),
    ...(time == null ? {} : { time }),
  };
}

/** Five digits are a hundredth of a pixel at a thousand. @param {number} value */
const round = (value) => Math.round(value * 1e5) / 1e5;

/** What a file of ours holds. Throws an Error with a sentence for a person. @param {string} text @returns {any} */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("This file is not valid JSON. Choose a file that the studio saved.");
  }
}

/** The hints of a hints file's content. @param {any} data @returns {Hint[]} */
export function hintsFrom(data) {
  if (data?.version !== 1) throw new Error("This is not a hints file. Choose a file that the studio saved.");
  return hintsOf(data.hints);
}

/** @param {any} list @returns {Hint[]} */
export function hintsOf(list) {
  if (!Array.isArray(list)) throw new Error("This file has no list of hints. Choose a file that the studio saved.");
  return list.map((/** @type {any} */ item, /** @type {number} */ at) => {
    const fault = faultOf(item);
    if (fault) throw new Error(`Hint ${at + 1} in this file is not valid: ${fault}.`);
    return hint({ ...item, path: item.path ?? [] });
  });
}

/** What is wrong with a hint of a file, or nothing. @param {any} item */
function faultOf(item) {
  const isShare = (/** @type {unknown} */ value) => typeof value === "number" && value >= 0 && value <= 1;
  if (!isShare(item?.x) || !isShare(item?.y)) return "its place must lie within the photo";
  if (typeof item.color !== "string" || !/^#[0-9a-f]{6}$/i.test(item.color)) return "its color is not like #6a8fbf";
  if (item.radius !== undefined && !(item.radius > 0 && item.radius <= RADIUS_LIMIT)) return "its size is out of range";
  if (item.weight !== undefined && !isShare(item.weight)) return "its weight is not between 0 and 1";
  if (item.reach !== undefined && !(item.reach >= 0.1 && item.reach <= 10)) return "its reach is not between 0.1 and 10";
  const isPath = (/** @type {any} */ path) =>
    Array.isArray(path) && path.every((point) => Array.isArray(point) && point.length === 2 && point.every(isShare));
  return [item.path, item.within].every((path) => path == null || isPath(path)) ? "" : "its stroke leaves the photo";
}

/**
 * A stroke with the points that matter (Ramer–Douglas–Peucker), in fractions of the photo.
 * @param {[number, number][]} points
 * @param {number} tolerance
 * @returns {[number, number][]}
 */
export function simplify(points, tolerance) {
  if (points.length < 3) return points;
  const [first, last] = [points[0], points[points.length - 1]];
  let [farthest, distance] = [0, 0];
  for (let at = 1; at < points.length - 1; at++) {
    const off = fromLine(points[at], first, last);
    if (off > distance) [farthest, distance] = [at, off];
  }
  if (distance <= tolerance) return [first, last];
  return [...simplify(points.slice(0, farthest + 1), tolerance).slice(0, -1), ...simplify(points.slice(farthest), tolerance)];
}

/** @param {[number, number]} p @param {[number, number]} a @param {[number, number]} b */
function fromLine(p, a, b) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.hypot(dx, dy);
  if (length === 0) return Math.hypot(p[0] - a[0], p[1] - a[1]);
  return Math.abs(dx * (a[1] - p[1]) - dy * (a[0] - p[0])) / length;
}
