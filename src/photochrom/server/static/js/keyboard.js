// Keys: for everything that a mouse can do.

import { block, isField, isSlider } from "./dom.js";

/** @typedef {Record<string, () => void>} Commands what a key calls, by name */

/** @type {[string, string, string][]} key, command, what it does */
export const KEYS = [
  ["h", "hint", "Color a place"],
  ["s", "stroke", "Draw a stroke"],
  ["p", "pin", "Pin: keep a color"],
  ["e", "pick", "Pick a color from the photo"],
  ["c", "compare", "Before and after"],
  ["u", "guessing", "Where is it guessing?"],
  ["w", "reach", "What did this hint change?"],
  ["d", "dots", "Hide the dots, or show them"],
  ["i", "ideas", "Other ideas"],
  ["r", "reference", "Colors from another photo"],
  ["n", "next", "The next hint"],
  ["[", "smaller", "Make the hint smaller"],
  ["]", "larger", "Make the hint larger"],
  ["o", "open", "Open a photo"],
  ["+", "zoomIn", "Zoom in"],
  ["-", "zoomOut", "Zoom out"],
  ["f", "zoomFit", "Fit the whole photo"],
  ["0", "zoomFit", ""],
  ["z", "zoomFull", "Full size: 100 %"],
  ["PageUp", "before", "The photo before"],
  ["PageDown", "after", "The next photo"],
  ["?", "help", "This help"],
  ["Escape", "close", "Done; close"],
  ["Delete", "delete", "Delete the chosen hint"],
];

/** Rows of the help: keys and what they do. @type {[string, string][]} */
export const HELP = [
  ["arrows", "Move the cross on the photo, or a hint (Shift: faster)"],
  ["Enter", "Give the place under the cross a color"],
  ["1 – 5", "Take a suggestion"],
  ["wheel", "Zoom (Shift: move; Alt: the hint's size)"],
  ["B", "Hold: see the original"],
  ["Ctrl Z", "Undo (with Shift: redo)"],
  ["Ctrl S", "Download"],
  ...KEYS.filter(([, , meaning]) => meaning).map(([key, , meaning]) => /** @type {[string, string]} */ ([key.length === 1 ? key.toUpperCase() : key, meaning])),
];

/**
 * Listen for keys on the whole page, but not in fields and dialogs.
 * @param {Commands} commands
 * @param {(number: number) => void} onNumber
 * @param {(on: boolean) => void} onPeek
 */
export function listenForKeys(commands, onNumber, onPeek) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey) return withControl(event, commands);
    if (isField(event.target) || event.altKey || (isSlider(event.target) && event.key.startsWith("Page"))) return;
    if (event.key.toLowerCase() === "b") {
      if (!event.repeat) onPeek(true);
    } else if (/^[1-5]$/.test(event.key)) onNumber(Number(event.key));
    else if (!run(commands, event.key)) return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "b") onPeek(false);
  });
  window.addEventListener("blur", () => onPeek(false));
}

/** @param {KeyboardEvent} event @param {Commands} commands */
function withControl(event, commands) {
  const key = event.key.toLowerCase();
  const name = { z: event.shiftKey ? "redo" : "undo", y: "redo", s: "download" }[key];
  if (!name || (isField(event.target) && key !== "s")) return;
  event.preventDefault();
  commands[name]?.();
}

/** @param {Commands} commands @param {string} key */
function run(commands, key) {
  const wanted = key.length === 1 ? key.toLowerCase() : key === "Backspace" ? "Delete" : key;
  const entry = KEYS.find(([name]) => name === wanted || (wanted === "=" && name === "+"));
  if (!entry) return false;
  commands[entry[1]]?.();
  return true;
}

/** The cross that arrow keys move over the photo, and Enter. */
export class Cross {
  /** @param {import("./view.js").View} view @param {(at: {x: number, y: number}) => void} onPlace */
  constructor(view, onPlace) {
    this.view = view;
    this.mark = block("cross");
    this.at = { x: 0.5, y: 0.5 };
    const surface = block("surface");
    surface.addEventListener("keydown", (event) => this.#key(event, onPlace));
    surface.addEventListener("blur", () => (this.mark.hidden = true));
    surface.addEventListener("pointerdown", () => (this.mark.hidden = true));
    view.addEventListener("move", () => this.#draw());
  }

  /** @param {KeyboardEvent} event @param {(at: {x: number, y: number}) => void} onPlace */
  #key(event, onPlace) {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (move) {
      const { photo, scale } = this.view;
      const pixels = (event.shiftKey ? 40 : 8) / scale;
      if (!this.mark.hidden) {
        this.at.x = Math.min(Math.max(this.at.x + (move[0] * pixels) / photo.width, 0), 1);
        this.at.y = Math.min(Math.max(this.at.y + (move[1] * pixels) / photo.height, 0), 1);
      }
      this.mark.hidden = false;
      this.view.reveal(this.at.x, this.at.y);
      this.#draw();
    } else if (event.key === "Enter" || event.key === " ") {
      this.mark.hidden = false;
      this.#draw();
      onPlace({ ...this.at });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #draw() {
    const { x, y } = this.view.toStage(this.at.x, this.at.y);
    this.mark.style.transform = `translate(${x}px, ${y}px)`;
  }
}
