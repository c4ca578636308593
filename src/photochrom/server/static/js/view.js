// Zoom and pan: where the photo lies on the stage, and the way between the two.

import { clamp } from "./dom.js";

const MARGIN = 24; // pixels around a fitted photo
const LARGEST_PIXEL = 8; // screen pixels that a pixel of the photo grows to

/** The photo's place on the stage, in CSS pixels of the stage. "move" tells of a change. */
export class View extends EventTarget {
  constructor() {
    super();
    this.photo = { width: 1, height: 1 };
    this.stage = { width: 1, height: 1 };
    this.scale = 1; // CSS pixels a pixel of the photo
    this.left = 0;
    this.top = 0;
  }

  /** The scale at which the whole photo is seen. */
  get fitScale() {
    const margin = Math.min(MARGIN, this.stage.width * 0.03);
    return Math.min(
      (this.stage.width - 2 * margin) / this.photo.width,
      (this.stage.height - 2 * margin) / this.photo.height,
      2.5,
    );
  }

  get isFitted() {
    return this.scale <= this.fitScale * 1.001;
  }

  /** 1 at a photo pixel a screen pixel. */
  get share() {
    return this.scale * devicePixelRatio;
  }

  /** @param {number} width @param {number} height of the photo */
  setPhoto(width, height) {
    this.photo = { width, height };
    this.fit();
  }

  /** @param {number} width @param {number} height of the stage */
  setStage(width, height) {
    if (width < 1 || height < 1) return; // hidden
    const fitted = this.isFitted;
    const center = this.toPhoto(this.stage.width / 2, this.stage.height / 2);
    this.stage = { width, height };
    if (fitted) return this.fit();
    this.left = width / 2 - center.x * this.photo.width * this.scale;
    this.top = height / 2 - center.y * this.photo.height * this.scale;
    this.#settle();
  }

  fit() {
    this.scale = this.fitScale;
    this.#settle();
  }

  /**
   * Zoom by a factor, keeping the point (x, y) of the stage where it is.
   * @param {number} factor @param {number} [x] @param {number} [y]
   */
  zoom(factor, x = this.stage.width / 2, y = this.stage.height / 2) {
    const largest = Math.max(LARGEST_PIXEL / devicePixelRatio, this.fitScale);
    const scale = clamp(this.scale * factor, this.fitScale, largest);
    this.left = x - ((x - this.left) * scale) / this.scale;
    this.top = y - ((y - this.top) * scale) / this.scale;
    this.scale = scale;
    this.#settle();
  }

  /** A photo pixel a screen pixel. */
  full() {
    this.zoom(1 / this.share);
  }

  /** Full size, or fitted when it is that already. */
  toggleFull() {
    if (Math.abs(this.share - 1) < 0.01) this.fit();
    else this.full();
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.#settle();
  }

  /** Bring a place of the photo into sight. @param {number} x @param {number} y */
  reveal(x, y) {
    const at = this.toStage(x, y);
    const margin = 40;
    this.pan(
      Math.max(margin - at.x, 0) + Math.min(this.stage.width - margin - at.x, 0),
      Math.max(margin - at.y, 0) + Math.min(this.stage.height - margin - at.y, 0),
    );
  }

  /** Fractions of the photo of a point of the stage; outside the photo they leave 0..1. @param {number} x @param {number} y */
  toPhoto(x, y) {
    return {
      x: (x - this.left) / (this.photo.width * this.scale),
      y: (y - this.top) / (this.photo.height * this.scale),
    };
  }

  /** The point of the stage of fractions of the photo. @param {number} x @param {number} y */
  toStage(x, y) {
    return { x: this.left + x * this.photo.width * this.scale, y: this.top + y * this.photo.height * this.scale };
  }

  /** CSS pixels of a hint's radius. @param {number} radius fraction of the longer side */
  radiusOnStage(radius) {
    return radius * Math.max(this.photo.width, this.photo.height) * this.scale;
  }

  /** The part of the photo that is seen. */
  get visible() {
    const [from, to] = [this.toPhoto(0, 0), this.toPhoto(this.stage.width, this.stage.height)];
    return {
      left: clamp(from.x, 0, 1),
      top: clamp(from.y, 0, 1),
      right: clamp(to.x, 0, 1),
      bottom: clamp(to.y, 0, 1),
    };
  }

  /** Keep the photo on the stage, centered where it is smaller. */
  #settle() {
    this.left = settled(this.left, this.photo.width * this.scale, this.stage.width);
    this.top = settled(this.top, this.photo.height * this.scale, this.stage.height);
    this.dispatchEvent(new Event("move"));
  }
}

/** @param {number} start @param {number} size @param {number} room */
function settled(start, size, room) {
  if (size <= room) return (room - size) / 2;
  const margin = Math.min(80, room / 4); // so that corners can be brought away from the tools
  return clamp(start, room - size - margin, margin);
}
