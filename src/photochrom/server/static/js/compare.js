// Before and after: a divider that can be dragged or moved with keys, and a short look at the original.

import { block, button, clamp, follow } from "./dom.js";

/** @typedef {import("./view.js").View} View */

/** The divider lies at a share of the stage's width; left of it the photo is as it came. */
export class Compare {
  /** @param {View} view @param {(on: boolean) => void} onToggle */
  constructor(view, onToggle) {
    this.view = view;
    this.onToggle = onToggle;
    this.divider = block("divider");
    this.layers = block("after-layers");
    this.share = 0.5;
    this.on = false;
    this.peeking = false;
    view.addEventListener("move", () => this.place());
    this.divider.addEventListener("pointerdown", (event) => this.#grab(event));
    this.divider.addEventListener("keydown", (event) => this.#key(event));
    this.#listenForPeeks();
  }

  /** @param {boolean} on */
  toggle(on = !this.on) {
    this.on = on;
    this.divider.hidden = !on;
    this.place();
    this.onToggle(on);
  }

  /** @param {boolean} on */
  peek(on) {
    this.peeking = on;
    block("stage").dataset.peeking = String(on);
    button("peek").setAttribute("aria-pressed", String(on));
    this.place();
  }

  /** Put the divider and the edge of the colored layers where they belong. */
  place() {
    const { view, divider, layers } = this;
    const x = this.share * view.stage.width;
    divider.style.transform = `translateX(${x}px)`;
    divider.setAttribute("aria-valuenow", String(Math.round(100 * this.share)));
    divider.setAttribute("aria-valuetext", `${Math.round(100 * this.share)} % before`);
    const edge = clamp((x - view.left) / (view.photo.width * view.scale), 0, 1);
    const cut = this.peeking ? 1 : this.on ? edge : 0;
    layers.style.clipPath = cut === 0 ? "" : `inset(0 0 0 ${100 * cut}%)`;
  }

  /** @param {number} share */
  #move(share) {
    this.share = clamp(share, 0, 1);
    this.place();
  }

  /** @param {PointerEvent} down */
  #grab(down) {
    down.preventDefault();
    this.divider.focus();
    const { left, width } = block("stage").getBoundingClientRect();
    follow(this.divider, down, (event) => this.#move((event.clientX - left) / width));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = event.shiftKey ? 0.1 : 0.02;
    const to = { ArrowLeft: this.share - step, ArrowRight: this.share + step, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#move(to);
  }

  #listenForPeeks() {
    const peek = button("peek");
    peek.addEventListener("pointerdown", () => this.peek(true));
    for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
      peek.addEventListener(end, () => this.peek(false));
    }
    peek.addEventListener("keydown", (event) => {
      if (event.key === " " || event.key === "Enter") this.peek(true);
    });
    peek.addEventListener("keyup", () => this.peek(false));
  }
}
