// Where pictures come from. This one asks the REST server; an engine inside the browser may take its
// place later, with the same methods. Every failure is an Error whose message a person can read.

import { dump, hint } from "./hints.js";
import { lookOf } from "./project.js";

/** @typedef {import("./hints.js").Hint} Hint */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Region */
/** @typedef {import("./document.js").Version} Colors */
/** @typedef {{color: string, probability: number}} Suggestion */
/** @typedef {{x: number, y: number, uncertainty: number}} Place */
/** @typedef {{format: string | null, quality: number, depth: number | null, strip: boolean, mark: boolean}} FileOptions */
/**
 * @typedef {object} Model
 * @property {string} name
 * @property {string} licence
 * @property {boolean} distribution whether it can suggest, tell where it is unsure, and have ideas
 * @property {boolean} noncommercial
 * @property {boolean} loaded the server's own
 */
/**
 * @typedef {object} PhotoInfo
 * @property {string} id
 * @property {string} sha256
 * @property {number} width
 * @property {number} height
 * @property {string} format
 * @property {number} bits
 * @property {boolean} colored
 * @property {string[]} warnings
 * @property {string} download_format
 * @property {number} vividness the usual one
 */

const PATIENCE = 6; // how often a full server is asked again

/** A failure, with the problem's status where the server told one. */
export class EngineError extends Error {
  /** @param {string} message @param {number} [status] */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** The server's engine for one photo; it uploads the photo again by itself when the server has forgotten it. */
export class ServerEngine {
  /** @param {Blob} photo @param {PhotoInfo} info */
  constructor(photo, info) {
    this.photo = photo;
    this.info = info;
    /** @type {Promise<void> | null} */
    this.healing = null;
    this.closed = false;
  }

  /**
   * Hand a photo to the engine.
   * @param {Blob} photo @param {AbortSignal} [signal]
   */
  static async open(photo, signal) {
    return new ServerEngine(photo, await upload(photo, signal));
  }

  /**
   * The photo as it came.
   * @param {number} side @param {Region | null} region @param {AbortSignal} [signal]
   */
  async original(side, region, signal) {
    const query = new URLSearchParams({ side: String(side) });
    for (const [name, value] of Object.entries(region ?? {})) query.set(name, String(value));
    return (await this.#ask(`original?${query}`, {}, signal)).blob();
  }

  /**
   * A preview in color.
   * @param {Colors} colors @param {number} side @param {Region | null} region @param {AbortSignal} [signal]
   */
  async render(colors, side, region, signal) {
    return (await this.#post("render", { ...lookOf(colors), side, region }, signal)).blob();
  }

  /** The whole file at full size. @param {Colors} colors @param {FileOptions} file @param {AbortSignal} [signal] */
  async file(colors, file, signal) {
    return (await this.#post("render", { ...lookOf(colors), file }, signal)).blob();
  }

  /**
   * The color that a place has now, and the network's suggestions for it.
   * @param {Colors} colors @param {number} x @param {number} y @param {AbortSignal} [signal] @param {number} [k] how many
   * @returns {Promise<{current: string, suggestions: Suggestion[]}>}
   */
  async suggest(colors, x, y, signal, k = 5) {
    return (await this.#post("suggest", { ...lookOf(colors), x, y, k }, signal)).json();
  }

  /**
   * Where the network is guessing.
   * @param {Colors} colors @param {AbortSignal} [signal]
   * @returns {Promise<{width: number, height: number, values: number[][], places: Place[]}>}
   */
  async uncertainty(colors, signal) {
    return (await this.#post("uncertainty", lookOf(colors), signal)).json();
  }

  /** How far a hint reaches: a gray map. @param {Colors} colors @param {number} index @param {AbortSignal} [signal] */
  async difference(colors, index, signal) {
    return (await this.#post("difference", { ...lookOf(colors), index }, signal)).blob();
  }

  /**
   * Other ideas, as hints; the person's own are part of each.
   * @param {Colors} colors @param {number} count @param {number} seed @param {AbortSignal} [signal]
   * @returns {Promise<Hint[][]>}
   */
  async proposals(colors, count, seed, signal) {
    const answer = await (await this.#post("proposals", { ...lookOf(colors), k: count, seed }, signal)).json();
    return answer.proposals.map((/** @type {{hints: Hint[]}} */ proposal) => proposal.hints.map(hint));
  }

  /**
   * The person's hints, and others that color this photo like another one.
   * @param {Blob} other @param {Colors} colors @param {AbortSignal} [signal]
   * @returns {Promise<Hint[]>}
   */
  async reference(other, colors, signal) {
    const body = new FormData();
    body.append("photo", other, "reference");
    body.append("hints", dump(colors.hints));
    if (colors.model) body.append("model", colors.model);
    return (await (await this.#ask("reference", { method: "POST", body }, signal)).json()).hints.map(hint);
  }

  /** The photo is not needed any more; a closed window cannot wait for the answer. */
  close() {
    this.closed = true;
    fetch(`v1/photos/${this.info.id}`, { method: "DELETE", keepalive: true }).catch(() => {});
  }

  /** @param {string} verb @param {object} body @param {AbortSignal} [signal] */
  #post(verb, body, signal) {
    const headers = { "Content-Type": "application/json" };
    return this.#ask(verb, { method: "POST", headers, body: JSON.stringify(body) }, signal);
  }

  /** @param {string} path @param {RequestInit} init @param {AbortSignal} [signal] */
  async #ask(path, init, signal) {
    try {
      return await ask(`v1/photos/${this.info.id}/${path}`, init, signal);
    } catch (error) {
      if (!(error instanceof EngineError) || ![404, 410].includes(error.status)) throw error;
    }
    if (this.closed) throw new DOMException("The photo is closed.", "AbortError"); // nobody waits for it
    await this.#heal();
    return ask(`v1/photos/${this.info.id}/${path}`, init, signal);
  }

  /** Upload the photo again, once for all who wait for it. */
  async #heal() {
    this.healing ??= upload(this.photo).then((info) => {
      this.info = info;
      this.healing = null;
    });
    await this.healing.finally(() => (this.healing = null));
  }
}

/** The models, and what the server takes. @returns {Promise<{models: Model[], limits: {body: number}}>} */
export const known = async () => (await ask("v1/models", {})).json();

/** @param {Blob} photo @param {AbortSignal} [signal] @returns {Promise<PhotoInfo>} */
async function upload(photo, signal) {
  const body = new FormData();
  body.append("photo", photo, "photo"); // its name stays here
  return (await ask("v1/photos", { method: "POST", body }, signal)).json();
}

/**
 * One request; a full server is asked again after the time that it names.
 * @param {string} url @param {RequestInit} init @param {AbortSignal} [signal]
 */
async function ask(url, init, signal) {
  for (let attempt = 1; ; attempt++) {
    const response = await reach(url, { ...init, signal });
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    const again = [429, 503].includes(response.status) && !String(problem.type).endsWith("over-budget");
    if (!again || attempt >= PATIENCE) throw new EngineError(sentence(problem), response.status);
    await pause(1000 * Number(response.headers.get("Retry-After") ?? 1), signal);
  }
}

/** An answer of the server, whatever its status. @param {string} url @param {RequestInit} [init] */
export async function reach(url, init) {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new EngineError("The server does not answer. Is `photochrom serve` still running?");
  }
}

/** @param {number} milliseconds @param {AbortSignal} [signal] */
const pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });

/** What a problem says to a person. @param {{detail?: string}} problem */
function sentence({ detail }) {
  if (!detail) return "The server gave an unexpected answer: reload the page.";
  return detail.charAt(0).toUpperCase() + detail.slice(1) + (/[.!?…]$/.test(detail) ? "" : ".");
}
