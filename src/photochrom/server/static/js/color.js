// Colors: sRGB and CIELAB (D65), hue and chroma, and what the screen can show of them.

/** @typedef {[number, number, number]} Triple */

const EPSILON = 216 / 24389;
const KAPPA = 24389 / 27;
const TO_XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
].map((row) => {
  const sum = row.reduce((a, b) => a + b, 0);
  return row.map((value) => value / sum); // relative to white, so that grays have no chroma
});
const FROM_XYZ = inverse(TO_XYZ);

/** @param {number[][]} m */
function inverse(m) {
  const [a, b, c, d, e, f, g, h, i] = m.flat();
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ].map((row) => row.map((value) => value / det));
}

/** @param {number} value */
const decode = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
/** @param {number} value */
const encode = (value) => (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);
/** @param {number} t */
const f = (t) => (t > EPSILON ? Math.cbrt(t) : (KAPPA * t + 16) / 116);
/** @param {number} t */
const fInverse = (t) => (t ** 3 > EPSILON ? t ** 3 : (116 * t - 16) / KAPPA);

/**
 * 0..255 of "#rrggbb" or "#rgb"; null for anything else.
 * @param {string} text
 * @returns {Triple | null}
 */
export function parseHex(text) {
  const digits = text.trim().replace(/^#/, "");
  const full = digits.length === 3 ? [...digits].map((digit) => digit + digit).join("") : digits;
  if (!/^[0-9a-f]{6}$/i.test(full)) return null;
  return [0, 2, 4].map((at) => Number.parseInt(full.slice(at, at + 2), 16)).slice(0, 3).reduce(
    (triple, value, at) => Object.assign(triple, { [at]: value }),
    /** @type {Triple} */ ([0, 0, 0]),
  );
}

/** "#rrggbb" of 0..255. @param {ArrayLike<number>} rgb */
export const toHex = (rgb) =>
  "#" + [rgb[0], rgb[1], rgb[2]].map((value) => Math.round(value).toString(16).padStart(2, "0")).join("");

/** CIELAB of 0..255 sRGB. @param {ArrayLike<number>} rgb @returns {Triple} */
export function toLab(rgb) {
  const linear = [rgb[0], rgb[1], rgb[2]].map((value) => decode(value / 255));
  const [x, y, z] = TO_XYZ.map((row) => f(row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Linear sRGB of CIELAB; outside 0..1 where the screen cannot show it. @param {Triple} lab @returns {Triple} */
function toLinear([l, a, b]) {
  const y = (l + 16) / 116;
  const xyz = [fInverse(y + a / 500), fInverse(y), fInverse(y - b / 200)];
  const [red, green, blue] = FROM_XYZ.map((row) => row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2]);
  return [red, green, blue];
}

/** Whether the screen can show a color. @param {Triple} lab */
export const inGamut = (lab) => toLinear(lab).every((value) => value >= -1e-4 && value <= 1 + 1e-4);

/** 0..255 of CIELAB, clipped. @param {Triple} lab @returns {Triple} */
export function fromLab(lab) {
  const [red, green, blue] = toLinear(lab).map((value) => 255 * encode(Math.min(Math.max(value, 0), 1)));
  return [red, green, blue];
}

/** The most chroma that sRGB holds at a luminance and hue (degrees). @param {number} l @param {number} hue */
export function mostChroma(l, hue) {
  let [low, high] = [0, 140];
  for (let step = 0; step < 12; step++) {
    const middle = (low + high) / 2;
    if (inGamut(fromPolar(l, hue, middle))) low = middle;
    else high = middle;
  }
  return low;
}

/** @param {number} l @param {number} hue degrees @param {number} chroma @returns {Triple} */
export function fromPolar(l, hue, chroma) {
  const angle = (hue * Math.PI) / 180;
  return [l, chroma * Math.cos(angle), chroma * Math.sin(angle)];
}

/** Hue in 0..360 degrees and chroma of CIELAB. @param {Triple} lab */
export function toPolar([, a, b]) {
  return { hue: ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360, chroma: Math.hypot(a, b) };
}

/**
 * "#rrggbb" of hue and chroma at a luminance, with as much of the chroma as sRGB holds there.
 * @param {number} l @param {number} hue @param {number} chroma
 */
export const polarToHex = (l, hue, chroma) => toHex(fromLab(fromPolar(l, hue, Math.min(chroma, mostChroma(l, hue)))));

/** The color as it will look at another luminance. @param {string} hex @param {number} l */
export function atLuminance(hex, l) {
  const { hue, chroma } = toPolar(toLab(parseHex(hex) ?? [128, 128, 128]));
  return polarToHex(l, hue, chroma);
}
