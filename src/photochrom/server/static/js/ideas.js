// Other ideas: proposals side by side, each a list of hints to start from, large while they are looked at.

import { block, button, make } from "./dom.js";
import { Latest } from "./latest.js";
import { SideBySide } from "./sidebyside.js";
import { paint } from "./stage.js";

/** @typedef {import("./engine.js").ServerEngine} Engine */
/** @typedef {import("./document.js").Coloring} Coloring */
/** @typedef {import("./document.js").Version} Version */
/** @typedef {import("./hints.js").Hint} Hint */

const COUNT = 4;
const SIDE = 360;

/** The drawer with proposals. */
export class Ideas {
  /**
   * @param {(hints: Hint[], did: string) => void} onChosen
   * @param {(version: Version | null) => void} onTried shown at full size while the pointer or the focus is on it
   * @param {(error: unknown) => void} onError
   */
  constructor(onChosen, onTried, onError) {
    this.onChosen = onChosen;
    this.onTried = onTried;
    this.list = block("ideas-list");
    this.asking = new Latest(onError);
    this.seed = 0;
    /** @type {Engine | null} */
    this.engine = null;
    this.filled = false;
    /** @type {{name: string, hints: Hint[]}[]} those of the drawer */
    this.drawn = [];
    this.sideBySide = new SideBySide(onError);
    button("ideas-large").addEventListener("click", () => this.#compare());
  }

  /** @param {Engine} engine @param {Coloring} coloring */
  open(engine, coloring) {
    this.engine = engine;
    this.coloring = coloring;
    this.asking.stop();
    this.#forget();
    this.list.replaceChildren();
  }

  /** Fill the drawer when it is opened, unless it is filled. */
  show() {
    if (!this.filled) this.#fill();
  }

  #forget() {
    this.filled = false;
    this.drawn = [];
    button("ideas-large").disabled = true;
  }

  /** All ideas of the drawer beside what the person has, as large as the window allows. */
  #compare() {
    const { engine, coloring } = this;
    if (!engine || !coloring) return;
    const now = { name: "Your picture", version: coloring.version, take: () => {} };
    const others = this.drawn.map(({ name, hints }) => ({
      name,
      version: { ...coloring.version, hints },
      take: () => this.onChosen(hints, name),
    }));
    this.sideBySide.open(engine, [now, ...others]);
  }

  #fill() {
    const { engine, coloring } = this;
    if (!engine || !coloring) return;
    this.asking.stop();
    this.#forget();
    const tiles = Array.from({ length: COUNT }, (_, at) => this.#tile(at));
    const more = make("button", { type: "button", class: "idea-more" }, "More ideas");
    more.addEventListener("click", () => {
      this.seed += 1;
      this.#fill();
    });
    this.list.replaceChildren(...tiles.map(({ item }) => item), make("li", {}, more));
    this.asking.ask(async (signal) => {
      const proposals = await engine.proposals(coloring.version, COUNT, this.seed, signal);
      for (const [at, tile] of tiles.entries()) {
        const hints = proposals[at];
        if (!hints) tile.item.remove();
        else await this.#draw(tile, hints, at, signal);
      }
      this.filled = !signal.aborted;
    });
  }

  /** @param {{choose: HTMLButtonElement, picture: HTMLCanvasElement}} tile @param {Hint[]} hints @param {number} at @param {AbortSignal} signal */
  async #draw({ choose, picture }, hints, at, signal) {
    const { engine, coloring } = this;
    if (!engine || !coloring) return;
    await paint(picture, await engine.render({ ...coloring.version, hints }, SIDE, null, signal));
    if (signal.aborted) return;
    choose.disabled = false;
    this.drawn.push({ name: `Idea ${at + 1}`, hints });
    button("ideas-large").disabled = false;
    for (const event of ["pointerenter", "focus"]) {
      choose.addEventListener(event, () => this.onTried({ ...coloring.version, hints }));
    }
    for (const event of ["pointerleave", "blur"]) choose.addEventListener(event, () => this.onTried(null));
    choose.addEventListener("click", () => {
      for (const other of this.list.querySelectorAll(".idea")) other.setAttribute("aria-pressed", String(other === choose));
      this.onChosen(hints, `Idea ${at + 1}`);
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
