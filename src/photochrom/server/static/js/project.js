// The project file: a photo's name and hash, its look, and the steps that led there.

import { hint, hintsOf, slim } from "./hints.js";

/** @typedef {import("./document.js").Version} Version */
/** @typedef {import("./document.js").Step} Step */
/** @typedef {import("./document.js").Coloring} Coloring */
/** @typedef {{name: string, sha256: string}} PhotoName */
/** @typedef {{photo: PhotoName, steps: Step[], at: number}} Project */

export const SUFFIX = ".photochrom.json";
const MOST_STEPS = 100; // of a file

/** A version in the form that the server takes. @param {Version} version */
export const lookOf = ({ hints, vividness, palette, ownColor, model }) => ({
  hints: hints.map(slim),
  vividness,
  palette,
  keep_color: ownColor,
  ...(model ? { model } : {}),
});

/** A version in the form that `photochrom colorize --look` takes: its hints as a hints file. @param {Version} version */
const writtenLook = (version) => ({ ...lookOf(version), hints: { version: 1, hints: version.hints.map(slim) } });

/** The content of a project file. @param {PhotoName} photo @param {Coloring} coloring */
export function projectOf({ name, sha256 }, { steps, at, version }) {
  const left = Math.max(at + 1 - MOST_STEPS, 0); // steps too long ago to be kept
  const history = steps.slice(left, left + MOST_STEPS).map((step) => ({
    did: step.did,
    look: writtenLook(step.version),
    ...(step.version.hints.some(({ found }) => found) ? { found: step.version.hints.map(({ found }) => Number(found)) } : {}),
  }));
  return { version: 1, photo: { name, sha256 }, look: writtenLook(version), history, at: at - left };
}

/**
 * A project of a file's content. Throws an Error with a sentence for a person.
 * @param {any} data @param {number} vividness the usual one
 * @returns {Project}
 */
export function projectFrom(data, vividness) {
  const { name, sha256 } = data?.photo ?? {};
  if (data?.version !== 1 || typeof name !== "string" || typeof sha256 !== "string" || !isObject(data.look)) {
    throw new Error("This is not a project file. Choose a file that the studio saved.");
  }
  const last = { did: "As saved", version: versionFrom(data.look, vividness) };
  if (!Array.isArray(data.history) || !data.history.length) {
    const first = { did: "Automatic colors", version: versionFrom({}, vividness) };
    return { photo: { name, sha256 }, steps: [first, last], at: 1 };
  }
  const steps = data.history.map((/** @type {any} */ step) => ({
    did: String(step?.did ?? "A step").slice(0, 80),
    version: versionFrom(step?.look, vividness, step?.found),
  }));
  const at = Number.isInteger(data.at) && steps[data.at] ? data.at : steps.length - 1;
  return { photo: { name, sha256 }, steps, at };
}

/** @param {unknown} value */
const isObject = (value) => typeof value === "object" && value !== null;

/** @param {any} look @param {number} usual @param {any} [found] @returns {Version} */
function versionFrom(look, usual, found) {
  const { vividness, palette = [], keep_color: ownColor = false, model = "" } = look ?? {};
  const isShare = typeof vividness === "number" && vividness >= 0 && vividness <= 1;
  if (!Array.isArray(palette) || !palette.every((color) => /^#[0-9a-f]{6}$/i.test(color))) {
    throw new Error("The palette in this project file is not valid. Choose a file that the studio saved.");
  }
  const hints = hintsOf(look?.hints?.hints ?? look?.hints ?? []).map((one, at) => hint({ ...one, found: Boolean(found?.[at]) }));
  return { hints, vividness: isShare ? vividness : usual, palette, ownColor: Boolean(ownColor), model: String(model) };
}
