// Other ideas: proposals side by side, each a list of hints to start from.

import { block, canvas, make } from "./dom.js";
import { Latest } from "./latest.js";
import { paint } from "./stage.js";

/** @typedef {import("./engine.js").ServerEngine} Engine */
/** @typedef {import("./document.js").Colouring} Colouring */
/** @typedef {import("./hints.js").Hint} Hint */

const COUNT = 4;
const SIDE = 360;

/** The drawer with proposals. */
export class Ideas {
  /** @param {(hints: Hint[]) => void} onChosen @param {(error: unknown) => void} onError */
  constructor(onChosen, onError) {
    this.onChosen = onChosen;
    this.list = block("ideas-list");
    this.asking = new Latest(onError);
    this.seed = 0;
    /** @type {Engine | null} */
    this.engine = null;
    this.filled = false;
  }

  /** @param {Engine} engine @param {Colouring} colouring */
  open(engine, colouring) {
    this.engine = engine;
    this.colouring = colouring;
    this.filled = false;
    this.asking.stop();
    this.list.replaceChildren();
  }

  /** Fill the drawer when it is opened the first time. */
  show() {
    if (this.filled) return;
    this.filled = true;
    this.#fill();
  }

  #fill() {
    const { engine, colouring } = this;
    if (!engine || !colouring) return;
    const tiles = Array.from({ length: COUNT }, (_, at) => this.#tile(at));
    const more = make("button", { type: "button", class: "idea-more" }, "More ideas");
    more.addEventListener("click", () => {
      this.seed += 1;
      this.#fill();
    });
    this.list.replaceChildren(...tiles.map(({ item }) => item), make("li", {}, more));
    this.asking.ask(async (signal) => {
      const proposals = await engine.proposals(colouring.version, COUNT, this.seed, signal);
      for (const [at, tile] of tiles.entries()) {
        const hints = proposals[at];
        if (!hints) tile.item.remove();
        else await this.#draw(tile, hints, signal);
      }
    });
  }

  /** @param {{item: HTMLLIElement, choose: HTMLButtonElement, picture: HTMLCanvasElement}} tile @param {Hint[]} hints @param {AbortSignal} signal */
  async #draw({ choose, picture }, hints, signal) {
    const { engine, colouring } = this;
    if (!engine || !colouring) return;
    await paint(picture, await engine.render({ ...colouring.version, hints }, SIDE, null, signal));
    choose.disabled = false;
    choose.addEventListener("click", () => {
      for (const other of this.list.querySelectorAll(".idea")) other.setAttribute("aria-pressed", String(other === choose));
      this.onChosen(hints);
    });
  }

  /** @param {number} at */
  #tile(at) {
    const { width = 4, height = 3 } = this.engine?.info ?? {};
    const picture = make("canvas", { class: "idea-picture", "aria-hidden": "true" });
    picture.width = SIDE;
    picture.height = Math.round((SIDE * height) / width);
    const choose = make("button", { type: "button", class: "idea", "aria-pressed": "false", disabled: "" }, picture, `Idea ${at + 1}`);
    return { item: make("li", {}, choose), choose, picture };
  }
}

/** The drawer of another photo: pick colours from it, or colour the whole photo like it. */
export class Reference {
  /**
   * @param {(rgb: ArrayLike<number>) => void} onPicked
   * @param {(photo: File) => void} onMatch
   * @param {(photo: File) => Promise<Blob>} readable a picture that the browser can show, of any photo
   * @param {(error: unknown) => void} onError
   */
  constructor(onPicked, onMatch, readable, onError) {
    this.surface = canvas("reference-canvas");
    this.readable = readable;
    this.onError = onError;
    /** @type {File | null} */
    this.photo = null;
    this.surface.addEventListener("click", (event) => {
      const { left, top, width, height } = this.surface.getBoundingClientRect();
      const x = Math.floor(((event.clientX - left) / width) * this.surface.width);
      const y = Math.floor(((event.clientY - top) / height) * this.surface.height);
      const ground = this.surface.getContext("2d");
      if (ground) onPicked(ground.getImageData(x, y, 1, 1).data);
    });
    block("reference-match").addEventListener("click", () => this.photo && onMatch(this.photo));
  }

  /** @param {File} photo */
  async load(photo) {
    try {
      const bitmap = await createImageBitmap(photo).catch(async () => createImageBitmap(await this.readable(photo)));
      const scale = Math.min(1, 900 / Math.max(bitmap.width, bitmap.height));
      this.surface.width = Math.max(1, Math.round(bitmap.width * scale));
      this.surface.height = Math.max(1, Math.round(bitmap.height * scale));
      this.surface.getContext("2d")?.drawImage(bitmap, 0, 0, this.surface.width, this.surface.height);
      this.surface.hidden = false;
      this.photo = photo;
      block("reference-match").hidden = false;
    } catch (error) {
      this.onError(error);
    }
  }
}
