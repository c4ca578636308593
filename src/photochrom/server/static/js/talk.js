// What the studio says: errors as sentences that stay a while, and quiet words for screen readers.

import { block, make } from "./dom.js";

const STAYS = 9000; // ms

/** Tell of a failure. Programming errors go to the console as well. @param {unknown} error */
export function complain(error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof TypeError || error instanceof ReferenceError) console.error(error);
  toast(text, "error");
}

/** @param {string} text @param {"error" | "note"} [kind] */
export function toast(text, kind = "note") {
  const close = make("button", { type: "button", class: "icon", "aria-label": "Dismiss" }, "×");
  const note = make("div", { class: `toast ${kind}` }, make("p", {}, text), close);
  close.addEventListener("click", () => note.remove());
  block("toasts").replaceChildren(note);
  setTimeout(() => note.remove(), STAYS);
}

/** @param {string} text */
export function announce(text) {
  block("announce").textContent = text;
}
