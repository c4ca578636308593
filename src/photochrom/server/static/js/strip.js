// The strip: all photos of this window side by side, what is done to all of them, and how far it has got.

import { block, byId, button, make } from "./dom.js";
import { Latest } from "./latest.js";
import { paint } from "./stage.js";

/** @typedef {import("./album.js").Album} Album */
/** @typedef {import("./album.js").Entry} Entry */
/** @typedef {import("./document.js").Version} Version */

const SIDE = 160; // pixels of a thumbnail

/** Shows an album; a click brings a photo onto the stage. */
export class Strip {
  /** @param {Album} album @param {(entry: Entry) => void} onChoose @param {(error: unknown) => void} onError */
  constructor(album, onChoose, onError) {
    this.album = album;
    this.onChoose = onChoose;
    this.list = block("strip-list");
    this.painting = new Latest(onError);
    /** @type {Map<Entry, {item: HTMLLIElement, choose: HTMLButtonElement, picture: HTMLCanvasElement, shown: Version | null}>} */
    this.tiles = new Map();
    album.addEventListener("change", () => this.draw());
  }

  draw() {
    const { entries, current, ready } = this.album;
    block("strip").hidden = entries.length < 2;
    block("strip-count").textContent = ready.length < entries.length ? `${ready.length} of ${entries.length}` : String(entries.length);
    const progress = byId("strip-progress", HTMLProgressElement);
    progress.hidden = ready.length === entries.length;
    progress.value = ready.length / Math.max(entries.length, 1);
    for (const [entry, { item }] of this.tiles) {
      if (!entries.includes(entry)) this.tiles.delete(entry) && item.remove();
    }
    for (const entry of entries) {
      const { choose } = this.#tile(entry);
      choose.setAttribute("aria-current", String(entry === current));
      choose.setAttribute("aria-busy", String(entry.state !== "done"));
    }
    if (entries.length > 1) this.painting.ask((signal) => this.#paint(signal));
  }

  /** Bring the photo on the stage into sight. */
  reveal() {
    const { current } = this.album;
    if (current) this.tiles.get(current)?.item.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {Entry} entry */
  #tile(entry) {
    let tile = this.tiles.get(entry);
    if (!tile) {
      const picture = make("canvas", { class: "thumb", "aria-hidden": "true", width: "4", height: "3" });
      const choose = make("button", { type: "button", class: "tile", title: entry.name }, picture, make("span", {}, entry.name));
      choose.addEventListener("click", () => this.onChoose(entry));
      tile = { item: make("li", {}, choose), choose, picture, shown: null };
      this.tiles.set(entry, tile);
      this.list.append(tile.item);
    }
    return tile;
  }

  /** Paint the thumbnails that are not true any more; one that fails keeps none of the others. @param {AbortSignal} signal */
  async #paint(signal) {
    const errors = [];
    for (const [entry, tile] of this.tiles) {
      const { engine, coloring, state } = entry;
      if (!engine || !coloring || state !== "done" || coloring.dragged || tile.shown === coloring.version) continue;
      const { version } = coloring;
      try {
        await paint(tile.picture, await engine.render(version, SIDE, null, signal));
        tile.shown = version;
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length) throw errors[0]; // tried again when the album changes
  }
}

/** Wire the buttons above the strip. @param {{forAll: () => void, close: () => void}} commands */
export function wireStrip({ forAll, close }) {
  button("look-for-all").addEventListener("click", forAll);
  button("strip-close").addEventListener("click", close);
}
