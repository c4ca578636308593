// Fingers, mouse and wheel on the stage: a click acts, a drag pans or draws, wheel and two fingers zoom.

import { block } from "./dom.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {{x: number, y: number}} Point */
/**
 * @typedef {object} Actions
 * @property {(at: Point) => void} click a place of the photo, in fractions
 * @property {() => boolean} draws whether a drag draws rather than pans
 * @property {(points: Point[]) => void} drawing
 * @property {(points: Point[]) => void} drawn
 * @property {(factor: number) => void} resize the chosen hint
 */

const SLACK = { mouse: 4, pen: 6, touch: 10 }; // pixels that a click may slip
const WHEEL_SPEED = 0.0016;

/** Listens on the surface and turns events into actions and moves of the view. */
export class Gestures {
  /** @param {View} view @param {Actions} actions */
  constructor(view, actions) {
    this.view = view;
    this.actions = actions;
    this.surface = block("surface");
    /** @type {Map<number, Point>} pointers that are down, in pixels of the stage */
    this.pointers = new Map();
    /** @type {Point | null} */
    this.start = null;
    /** @type {Point[] | null} */
    this.stroke = null;
    this.moved = false;
    this.#listen();
  }

  #listen() {
    const { surface } = this;
    surface.addEventListener("pointerdown", (event) => this.#down(event));
    surface.addEventListener("pointermove", (event) => this.#move(event));
    surface.addEventListener("pointerup", (event) => this.#up(event));
    surface.addEventListener("pointercancel", (event) => this.#forget(event));
    block("stage").addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** The event's place on the stage. @param {MouseEvent} event */
  at(event) {
    const { left, top } = this.surface.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button > 1) return;
    this.surface.setPointerCapture(event.pointerId);
    const at = this.at(event);
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size > 1) return this.#abandonStroke();
    this.start = at;
    this.moved = false;
    this.stroke = event.button === 0 && this.actions.draws() ? [this.#inPhoto(at)] : null;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before || !this.start) return;
    const at = this.at(event);
    if (this.pointers.size === 2) return this.#pinch(event.pointerId, at);
    const slack = SLACK[/** @type {keyof typeof SLACK} */ (event.pointerType)] ?? SLACK.mouse;
    if (!this.moved && Math.hypot(at.x - this.start.x, at.y - this.start.y) < slack) return;
    this.moved = true;
    this.pointers.set(event.pointerId, at);
    if (this.stroke) {
      for (const part of event.getCoalescedEvents?.() ?? [event]) this.stroke.push(this.#inPhoto(this.at(part)));
      this.actions.drawing(this.stroke);
    } else {
      this.view.pan(at.x - before.x, at.y - before.y);
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const alone = this.pointers.size === 1;
    const { stroke, moved } = this;
    const at = this.at(event);
    this.#forget(event);
    if (!alone || event.button > 0) return;
    if (stroke && moved) return this.actions.drawn(stroke);
    if (moved) return;
    const place = this.view.toPhoto(at.x, at.y);
    if (place.x >= 0 && place.x <= 1 && place.y >= 0 && place.y <= 1) this.actions.click(place);
  }

  /** @param {PointerEvent} event */
  #forget(event) {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size > 0) this.moved = true; // the other finger of a pinch is not a click
    else this.stroke = null;
  }

  #abandonStroke() {
    if (this.stroke) this.actions.drawing([]);
    this.stroke = null;
    this.moved = true;
  }

  /** @param {number} id @param {Point} at */
  #pinch(id, at) {
    const [first, second] = [...this.pointers.values()];
    const [middle, spread] = [center(first, second), distance(first, second)];
    this.pointers.set(id, at);
    const [newFirst, newSecond] = [...this.pointers.values()];
    const newMiddle = center(newFirst, newSecond);
    this.view.pan(newMiddle.x - middle.x, newMiddle.y - middle.y);
    if (spread > 0) this.view.zoom(distance(newFirst, newSecond) / spread, newMiddle.x, newMiddle.y);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const at = this.at(event);
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 24 : 1;
    if (event.altKey) return this.actions.resize(Math.exp(-event.deltaY * unit * WHEEL_SPEED));
    if (event.shiftKey) return this.view.pan(-(event.deltaX || event.deltaY) * unit, 0);
    const speed = event.ctrlKey ? 6 * WHEEL_SPEED : WHEEL_SPEED; // a trackpad's pinch comes in small steps
    this.view.zoom(Math.exp(-event.deltaY * unit * speed), at.x, at.y);
  }

  /** @param {Point} at */
  #inPhoto(at) {
    const { x, y } = this.view.toPhoto(at.x, at.y);
    return { x: Math.min(Math.max(x, 0), 1), y: Math.min(Math.max(y, 0), 1) };
  }
}

/** @param {Point} a @param {Point} b */
const center = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
/** @param {Point} a @param {Point} b */
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
