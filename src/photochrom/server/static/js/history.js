// The history: what was done, in words, and a list to go back to any step.

import { nameOf } from "./names.js";
import { block, make, refill } from "./dom.js";
import { reachOf } from "./hints.js";

/** @typedef {import("./hints.js").Hint} Hint */
/** @typedef {import("./document.js").Version} Version */
/** @typedef {import("./document.js").Coloring} Coloring */

/** What led from one version to the next. @param {Version} before @param {Version} after */
export function told(before, after) {
  if (before.model !== after.model) return `Model ${after.model || "as usual"}`;
  if (before.vividness !== after.vividness) return `Vividness ${after.vividness.toFixed(2)}`;
  if (before.ownColor !== after.ownColor) return after.ownColor ? "The photo's own colors" : "Without its own colors";
  if (before.palette !== after.palette) return after.palette.length ? `A palette of ${after.palette.length}` : "No palette";
  const [was, now] = [before.hints, after.hints];
  if (now.length === 0) return "All hints removed";
  if (now.length === was.length) return toldOfChange(was, now);
  if (now.length === was.length + 1) return `Hint ${now.length}: ${nameOf(now[now.length - 1].color)}`;
  return now.length < was.length ? `${was.length - now.length === 1 ? "A hint" : "Hints"} removed` : `${now.length - was.length} more hints`;
}

/** @param {readonly Hint[]} was @param {readonly Hint[]} now */
function toldOfChange(was, now) {
  const at = now.findIndex((hint, index) => hint !== was[index]);
  const [before, after] = [was[at], now[at]];
  if (!after || now.some((hint, index) => index > at && hint !== was[index])) return "Other hints";
  const what =
    after.color !== before.color ? nameOf(after.color)
    : after.radius !== before.radius ? "size"
    : after.weight !== before.weight ? `weight ${after.weight}`
    : after.reach !== before.reach ? `reach ${reachOf(after)}`
    : after.within !== before.within ? (after.within ? "only here" : "everywhere")
    : after.alike !== before.alike ? (after.alike ? "all of this kind" : "this thing alone")
    : "moved";
  return `Hint ${at + 1}: ${what}`;
}

/** Shows a coloring's steps, the latest on top. */
export class History {
  /** @param {Coloring} coloring @param {AbortSignal} signal */
  open(coloring, signal) {
    for (const event of ["change", "settle"]) coloring.addEventListener(event, () => this.draw(coloring), { signal });
    this.draw(coloring);
  }

  /** @param {Coloring} coloring */
  draw(coloring) {
    if (coloring.dragged) return;
    const rows = coloring.steps.map(({ did }, at) => {
      const current = at === coloring.at;
      const row = make("button", { type: "button", class: "step", ...(current ? { "aria-current": "step" } : {}) }, did);
      row.classList.toggle("undone", at > coloring.at);
      row.addEventListener("click", () => coloring.goTo(at));
      return make("li", {}, row);
    });
    block("history-count").textContent = rows.length > 1 ? String(rows.length - 1) : "";
    refill(block("history"), rows.reverse());
  }
}
