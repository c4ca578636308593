// What the studio says: errors and notes that stack, leave by themselves and are spoken once.

import { block, make } from "./dom.js";

/** @typedef {{label: string, act: () => void}} Answer a button in a note */

const MOST = 4; // notes at a time
const GLANCE = 3000; // ms that an error stays at least, whatever succeeds meanwhile
const STAYS = 6000; // ms, and
const A_LETTER = 60; // ms for each letter of it

/** Tell of a failure. Programming errors go to the console as well. @param {unknown} error */
export function complain(error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  if (error instanceof TypeError || error instanceof ReferenceError) console.error(error);
  toast(error instanceof Error ? error.message : String(error), "error");
}

/**
 * Tell of each photo that could not be opened, in few messages.
 * @param {{name: string, error: unknown}[]} failures @param {boolean} wasAll whether no photo is open
 */
export function complainOfAll(failures, wasAll) {
  if (failures.length === 1 && wasAll) return complain(failures[0].error);
  for (const { name, error } of failures.slice(0, 3)) {
    complain(new Error(`${name}: ${error instanceof Error ? error.message : error}`));
  }
  const others = failures.slice(3).map(({ name }) => name);
  if (others.length) complain(new Error(`These could not be opened either: ${others.join(", ")}.`));
}

/**
 * Show a note; the same words are shown once. One with an answer waits longer.
 * @param {string} text @param {"error" | "note"} [kind] @param {Answer} [answer]
 */
export function toast(text, kind = "note", answer) {
  for (const other of notes()) if (other.firstElementChild?.textContent === text) other.remove();
  const close = make("button", { type: "button", class: "icon", "aria-label": "Dismiss" }, "×");
  const note = make("div", { class: `toast ${kind}` }, make("p", {}, text), close);
  close.addEventListener("click", () => note.remove());
  if (answer) {
    const take = make("button", { type: "button", class: "small" }, answer.label);
    take.addEventListener("click", () => (note.remove(), answer.act()));
    close.before(take);
  }
  note.dataset.since = String(Date.now());
  leave(note, (STAYS + A_LETTER * text.length) * (answer ? 3 : 1));
  block("toasts").append(note);
  for (const old of notes().slice(0, -MOST)) old.remove();
  speak(kind === "error" ? "alarm" : "announce", text);
}

/** Let a note go after a time, but not while somebody is at it. @param {HTMLElement} note @param {number} after ms */
function leave(note, after) {
  setTimeout(() => {
    if (note.matches(":hover, :focus-within")) leave(note, GLANCE);
    else note.remove();
  }, after);
}

/** Something has succeeded: errors from before are over. */
export function succeeded() {
  for (const note of notes()) {
    if (note.classList.contains("error")) leave(note, Math.max(Number(note.dataset.since) + GLANCE - Date.now(), 0));
  }
}

/** Take the last note away; whether there was one. */
export function dismiss() {
  const last = notes().at(-1);
  last?.remove();
  return Boolean(last);
}

/** @param {string} text */
export const announce = (text) => speak("announce", text);

/** Say words to screen readers; the same ones again are said again. @param {string} place @param {string} text */
function speak(place, text) {
  block(place).replaceChildren(make("span", {}, text));
}

/** @returns {HTMLElement[]} */
const notes = () => [...block("toasts").querySelectorAll(/** @type {"div"} */ (".toast"))];
