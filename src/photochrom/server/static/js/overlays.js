// Overlays: where the network is guessing, with invitations, and how far one hint reaches.

import { block, canvas, clamp, context, make } from "./dom.js";
import { Latest } from "./latest.js";

/** @typedef {import("./engine.js").ServerEngine} Engine */
/** @typedef {import("./document.js").Coloring} Coloring */
/** @typedef {import("./engine.js").Place} Place */
/** @typedef {import("./view.js").View} View */
/** @typedef {"none" | "guessing" | "reach"} Kind */

const GUESS = [96, 224, 255]; // over the photo where it is guessing; hardly a photograph has this color
const SHADE = [12, 11, 10]; // and where it is sure, so that light tells them apart even on a sky
const SURE_BELOW = 0.25; // share of entropy
const [CALM, BUSY] = [0.4, 0.97]; // shares of the photo between which the light rises
const LEVELS_A_DELTA = 4; // gray levels a ΔE*ab in the server's map
const CLEAR_CHANGE = 14; // ΔE*ab from which a place counts as changed

/** Draws one overlay at a time and keeps it true while colors change. */
export class Overlays {
  /**
   * @param {View} view
   * @param {(place: Place) => void} onInvited
   * @param {(error: unknown) => void} onError
   */
  constructor(view, onInvited, onError) {
    this.view = view;
    this.onInvited = onInvited;
    this.surface = canvas("overlay");
    this.legend = block("legend");
    this.asking = new Latest(onError);
    /** @type {Kind} */
    this.kind = "none";
    this.index = 0;
    /** @type {Place[]} */
    this.places = [];
    this.invitations = make("div", { class: "invitations" });
    block("marks").after(this.invitations);
    view.addEventListener("move", () => this.#placeInvitations());
  }

  /** @param {Engine} engine @param {Coloring} coloring @param {AbortSignal} signal */
  open(engine, coloring, signal) {
    this.engine = engine;
    this.coloring = coloring;
    this.hide();
    for (const event of ["change", "settle"]) coloring.addEventListener(event, () => this.refresh(), { signal });
  }

  hide() {
    this.kind = "none";
    this.asking.stop();
    this.surface.hidden = true;
    this.legend.hidden = true;
    this.invitations.replaceChildren();
    this.places = [];
  }

  showGuessing() {
    this.hide();
    this.kind = "guessing";
    this.refresh();
  }

  /** @param {number} index of the hint */
  showReach(index) {
    this.hide();
    this.kind = "reach";
    this.index = index;
    this.refresh();
  }

  /** Ask for the overlay of the colors as they are now. */
  refresh() {
    const { engine, coloring, kind } = this;
    if (!engine || !coloring || kind === "none") return;
    if (kind === "reach" && this.index >= coloring.hints.length) return this.hide();
    this.asking.ask(async (signal) => {
      if (kind === "guessing") await this.#drawGuessing(engine, coloring, signal);
      else await this.#drawReach(engine, coloring, signal);
    });
  }

  /** @param {Engine} engine @param {Coloring} coloring @param {AbortSignal} signal */
  async #drawGuessing(engine, coloring, signal) {
    const { width, height, values, places } = await engine.uncertainty(coloring.version, signal);
    if (signal.aborted) return;
    const flat = values.flat();
    const [low, high] = range(flat);
    const image = new ImageData(width, height);
    flat.forEach((value, at) => {
      const lit = clamp((value - low) / (high - low), 0, 1) ** 1.3;
      const color = GUESS.map((value, channel) => lit * value + (1 - lit) * SHADE[channel]);
      image.data.set([...color, 165 - 30 * lit], 4 * at);
    });
    this.#paint(image, "Blue: here it is guessing. Click a ? and say what color it was.");
    this.places = places;
    this.#invite();
  }

  /** @param {Engine} engine @param {Coloring} coloring @param {AbortSignal} signal */
  async #drawReach(engine, coloring, signal) {
    const bitmap = await createImageBitmap(await engine.difference(coloring.version, this.index, signal));
    if (signal.aborted) return;
    const { width, height } = bitmap;
    const copy = context(Object.assign(document.createElement("canvas"), { width, height }));
    copy.drawImage(bitmap, 0, 0);
    bitmap.close();
    const image = copy.getImageData(0, 0, width, height);
    let changed = 0;
    for (let at = 0; at < image.data.length; at += 4) {
      const delta = image.data[at] / LEVELS_A_DELTA;
      changed += Number(delta > CLEAR_CHANGE / 2);
      image.data.set([12, 11, 10, 215 * (1 - Math.min(delta / CLEAR_CHANGE, 1))], at);
    }
    const share = (400 * changed) / image.data.length;
    this.#paint(image, `Lit: what hint ${this.index + 1} changed, ${share < 1 ? "under 1" : Math.round(share)} % of the photo.`);
  }

  /** @param {ImageData} image @param {string} text */
  #paint(image, text) {
    this.surface.width = image.width;
    this.surface.height = image.height;
    context(this.surface).putImageData(image, 0, 0);
    this.surface.hidden = false;
    this.surface.dataset.kind = this.kind;
    this.legend.textContent = text;
    this.legend.hidden = false;
  }

  #invite() {
    this.invitations.replaceChildren(
      ...this.places.map((place, at) => {
        const label = `Uncertain place ${at + 1}: tell its color`;
        const invitation = make("button", { type: "button", class: "invitation", "aria-label": label, title: label }, "?");
        invitation.addEventListener("click", () => this.onInvited(place));
        return invitation;
      }),
    );
    this.#placeInvitations();
  }

  #placeInvitations() {
    [...this.invitations.children].forEach((invitation, at) => {
      const { x, y } = this.view.toStage(this.places[at].x, this.places[at].y);
      /** @type {HTMLElement} */ (invitation).style.transform = `translate(${x}px, ${y}px)`;
    });
  }
}

/** Between which values light tells the sure from the unsure in this photo. @param {number[]} values */
function range(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [CALM, BUSY].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
  return [Math.max(low, SURE_BELOW), Math.max(high, SURE_BELOW + 0.1, low + 0.1)];
}
