// The color picker: a wheel of hue and chroma at the luminance of the place, as the photo will show it.

import { fromLab, fromPolar, mostChroma, parseHex, polarToHex, toLab, toPolar } from "./color.js";
import { canvas, context, follow, input } from "./dom.js";

const REACH = 90; // chroma at the wheel's rim
export const DARKEST = 42; // colors are shown at least this light, so that they can be told apart
const LIGHTEST = 86;

/** "drag" and "pick" tell of a color under way and of a chosen one; `color` holds it. */
export class Picker extends EventTarget {
  constructor() {
    super();
    this.wheel = canvas("wheel");
    this.hue = input("hue");
    this.chroma = input("chroma");
    this.hex = input("hex");
    this.luminance = 55;
    this.color = "#808080";
    this.drawn = -1; // the luminance that the wheel shows
    this.hue.addEventListener("input", () => this.#fromSliders("drag"));
    this.chroma.addEventListener("input", () => this.#fromSliders("drag"));
    this.hue.addEventListener("change", () => this.#fromSliders("pick"));
    this.chroma.addEventListener("change", () => this.#fromSliders("pick"));
    this.hex.addEventListener("change", () => this.#fromHex());
    this.wheel.addEventListener("pointerdown", (event) => this.#grab(event));
  }

  /** Show a color at a place of a luminance (L*). @param {string} color @param {number} luminance */
  show(color, luminance) {
    this.color = color;
    this.luminance = Math.min(Math.max(luminance, DARKEST), LIGHTEST);
    const { hue, chroma } = toPolar(toLab(parseHex(color) ?? [128, 128, 128]));
    if (document.activeElement !== this.hue && chroma > 1) this.hue.value = String(Math.round(hue) % 360);
    if (document.activeElement !== this.chroma) this.chroma.value = String(Math.round(chroma));
    if (document.activeElement !== this.hex) this.hex.value = color;
    this.hex.removeAttribute("aria-invalid");
    this.hue.setAttribute("aria-valuetext", `${Math.round(hue)} degrees`);
    this.#draw(chroma > 1 ? hue : Number(this.hue.value), chroma);
  }

  /** @param {"drag" | "pick"} kind */
  #fromSliders(kind) {
    this.#take(polarToHex(this.luminance, Number(this.hue.value), Number(this.chroma.value)), kind);
  }

  #fromHex() {
    const rgb = parseHex(this.hex.value);
    this.hex.setAttribute("aria-invalid", String(!rgb));
    if (rgb) this.#take("#" + rgb.map((value) => value.toString(16).padStart(2, "0")).join(""), "pick");
  }

  /** @param {string} color @param {"drag" | "pick"} kind */
  #take(color, kind) {
    this.color = color;
    this.dispatchEvent(new Event(kind));
  }

  /** @param {PointerEvent} down */
  #grab(down) {
    const onMove = (/** @type {PointerEvent} */ event) => this.#take(this.#at(event), "drag");
    onMove(down);
    follow(this.wheel, down, onMove, () => this.#take(this.color, "pick"));
  }

  /** The color under a pointer. @param {PointerEvent} event */
  #at(event) {
    const { left, top, width } = this.wheel.getBoundingClientRect();
    const [a, b] = [event.clientX - left - width / 2, top + width / 2 - event.clientY];
    const hue = ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
    return polarToHex(this.luminance, hue, Math.min((Math.hypot(a, b) / (width / 2)) * REACH, REACH));
  }

  /** @param {number} hue @param {number} chroma */
  #draw(hue, chroma) {
    const ground = context(this.wheel);
    const size = this.wheel.width;
    if (Math.abs(this.drawn - this.luminance) > 0.5) this.disc = disc(size, this.luminance);
    this.drawn = this.luminance;
    ground.clearRect(0, 0, size, size);
    if (this.disc) ground.putImageData(this.disc, 0, 0);
    const distance = (Math.min(chroma, REACH) / REACH) * (size / 2);
    const angle = (hue * Math.PI) / 180;
    ring(ground, size / 2 + distance * Math.cos(angle), size / 2 - distance * Math.sin(angle));
  }
}

/** The wheel's pixels at a luminance; where sRGB ends, the color at its edge goes on, dimmed. @param {number} size @param {number} l */
function disc(size, l) {
  const image = new ImageData(size, size);
  const edge = Array.from({ length: 361 }, (_, hue) => mostChroma(l, hue));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [a, b] = [((x + 0.5) / size - 0.5) * 2 * REACH, (0.5 - (y + 0.5) / size) * 2 * REACH];
      const chroma = Math.hypot(a, b);
      if (chroma > REACH) continue;
      const hue = ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
      const most = edge[Math.round(hue)];
      const rgb = fromLab(fromPolar(l, hue, Math.min(chroma, most)));
      const alpha = Math.min(1, (REACH - chroma) * 0.8) * (chroma > most ? 0.28 : 1);
      image.data.set([...rgb, 255 * alpha], 4 * (y * size + x));
    }
  }
  return image;
}

/** @param {CanvasRenderingContext2D} ground @param {number} x @param {number} y */
function ring(ground, x, y) {
  for (const [style, width] of /** @type {[string, number][]} */ ([["#000a", 4.5], ["#fff", 2]])) {
    ground.beginPath();
    ground.arc(x, y, 6, 0, 2 * Math.PI);
    ground.strokeStyle = style;
    ground.lineWidth = width;
    ground.stroke();
  }
}
