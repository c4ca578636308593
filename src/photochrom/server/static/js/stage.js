// The stage: layers of pictures under one transform, painted when they arrive and never waited for.

import { block, calm, canvas, context } from "./dom.js";
import { EngineError } from "./engine.js";
import { Latest } from "./latest.js";

/** @typedef {import("./engine.js").ServerEngine} Engine */
/** @typedef {import("./document.js").Coloring} Coloring */
/** @typedef {import("./view.js").View} View */

const LARGEST_PREVIEW = 1600;
const DETAIL_DELAY = 140; // ms of rest before the part in sight is asked for in full detail
const DETAIL_GAIN = 1.15; // how much sharper it must be to be worth asking for

/** Paints the photo before and after, and asks the engine for what is missing. */
export class Stage {
  /** @param {View} view @param {(error: unknown) => void} onError @param {() => void} onSuccess */
  constructor(view, onError, onSuccess) {
    this.view = view;
    this.root = block("stage");
    this.sheet = block("sheet");
    this.after = canvas("after");
    this.before = canvas("before");
    this.detail = canvas("detail");
    this.previews = new Latest(onError);
    this.details = new Latest(onError);
    this.onSuccess = onSuccess;
    /** @type {Engine | null} */
    this.engine = null;
    /** @type {Coloring | null} */
    this.coloring = null;
    const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    this.sample = context(pixel, { willReadFrequently: true });
    this.shown = 0;
    this.painted = false; // whether the photo in the engine is on the stage
    this.detailTimer = 0;
    view.addEventListener("move", () => this.#place());
    new ResizeObserver(() => view.setStage(this.root.clientWidth, this.root.clientHeight)).observe(this.root);
  }

  /** The longer side of a preview: as many pixels as are seen when the photo is fitted. */
  get previewSide() {
    const { width, height } = this.view.photo;
    const longest = Math.max(width, height);
    const seen = longest * this.view.fitScale * devicePixelRatio;
    return Math.max(16, Math.min(Math.ceil(seen / 100) * 100, LARGEST_PREVIEW, longest));
  }

  /**
   * Show a photo; the promise is kept when it is there in color.
   * @param {Engine} engine @param {Coloring} coloring
   */
  async open(engine, coloring) {
    this.previews.stop();
    this.details.stop();
    this.engine = engine;
    this.coloring = coloring;
    this.painted = false;
    this.#hideDetail();
    this.view.setStage(this.root.clientWidth, this.root.clientHeight);
    this.view.setPhoto(engine.info.width, engine.info.height);
    const side = this.previewSide;
    const [before, after] = await Promise.all([engine.original(side, null), engine.render(coloring.version, side, null)]);
    if (engine !== this.engine) return; // another photo was opened meanwhile
    await Promise.all([paint(this.before, before), paint(this.after, after)]);
    this.painted = true;
    this.#count(true);
  }

  /** Ask for the colors as they are now; only the latest are painted. */
  update() {
    const { engine, coloring } = this;
    if (!engine || !coloring) return;
    this.root.dataset.state = "rendering";
    this.previews.ask(async (signal) => {
      const version = coloring.version;
      const picture = await engine.render(version, this.previewSide, null, signal);
      if (signal.aborted || engine !== this.engine) return;
      await paint(this.after, picture);
      this.#hideDetail();
      this.#count(version === coloring.version);
    });
  }

  /** Show other colors for a while; null: the person's again. @param {import("./document.js").Version | null} version */
  tryOut(version) {
    const { engine } = this;
    if (!engine || !version) return this.update();
    this.previews.ask(async (signal) => {
      const picture = await engine.render(version, this.previewSide, null, signal);
      if (signal.aborted || engine !== this.engine) return;
      await paint(this.after, picture);
      this.#hideDetail();
    });
  }

  /** After a rest, ask for the part in sight at the screen's own detail. */
  refine() {
    clearTimeout(this.detailTimer);
    this.detailTimer = setTimeout(() => this.#askDetail(), DETAIL_DELAY);
  }

  #askDetail() {
    const { engine, coloring, view } = this;
    if (!engine || !coloring || !this.painted) return;
    const region = view.visible;
    const [wide, high] = [(region.right - region.left) * view.photo.width, (region.bottom - region.top) * view.photo.height];
    const share = Math.min(view.share, 1);
    const painted = Math.max(this.after.width, this.after.height) / Math.max(view.photo.width, view.photo.height);
    if (share < painted * DETAIL_GAIN || wide <= 1 || high <= 1) return;
    const side = Math.round(Math.min(Math.max(wide, high) * share, 4096));
    this.details.ask(async (signal) => {
      const version = coloring.version;
      const picture = await engine.render(version, Math.max(side, 16), region, signal);
      if (signal.aborted || engine !== this.engine || version !== coloring.version) return;
      await paint(this.detail, picture);
      placePart(this.detail, region);
      this.detail.hidden = false;
      this.root.dataset.detail = String(Number(this.root.dataset.detail ?? 0) + 1);
    });
  }

  #hideDetail() {
    this.detail.hidden = true;
  }

  /** @param {boolean} latest whether what is painted is what the person has made */
  #count(latest) {
    this.shown += 1;
    this.root.dataset.shown = String(this.shown);
    if (!latest) return;
    this.root.dataset.state = "idle";
    this.onSuccess();
    this.refine();
  }

  #place() {
    const { view, sheet } = this;
    sheet.style.width = `${view.photo.width * view.scale}px`;
    sheet.style.height = `${view.photo.height * view.scale}px`;
    sheet.style.transform = `translate(${view.left}px, ${view.top}px)`;
    this.refine();
  }

  /** The color that is painted at a place, 0..255. @param {number} x @param {number} y */
  colorAt(x, y) {
    const { width, height } = this.after;
    const [px, py] = [Math.min(Math.floor(x * width), width - 1), Math.min(Math.floor(y * height), height - 1)];
    this.sample.drawImage(this.after, px, py, 1, 1, 0, 0, 1, 1);
    return this.sample.getImageData(0, 0, 1, 1).data;
  }

  /** Let the color come over the photo from the left, once. */
  reveal() {
    const layers = block("after-layers");
    if (calm() || !layers.animate) return;
    layers.animate([{ clipPath: "inset(0 100% 0 0)" }, { clipPath: "inset(0 0 0 0)" }], {
      duration: 1100,
      easing: "cubic-bezier(.6,.05,.2,1)",
    });
  }
}

/** Decode off the main thread, then paint at once. @param {HTMLCanvasElement} surface @param {Blob} picture */
export async function paint(surface, picture) {
  const bitmap = await decode(picture);
  if (surface.width !== bitmap.width || surface.height !== bitmap.height) {
    surface.width = bitmap.width;
    surface.height = bitmap.height;
  }
  context(surface).drawImage(bitmap, 0, 0);
  bitmap.close();
}

/** @param {Blob} picture */
async function decode(picture) {
  try {
    return await createImageBitmap(picture);
  } catch {
    throw new EngineError("This browser cannot show the picture: try another one.");
  }
}

/** @param {HTMLElement} part @param {import("./engine.js").Region} region */
function placePart(part, { left, top, right, bottom }) {
  Object.assign(part.style, {
    left: `${100 * left}%`,
    top: `${100 * top}%`,
    width: `${100 * (right - left)}%`,
    height: `${100 * (bottom - top)}%`,
  });
}
