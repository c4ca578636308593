// Finding and making elements, with types that the checker can follow.

/**
 * The element of an id; a missing one is a mistake of ours and throws.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`#${id} is not a ${kind.name}`);
  return found;
}

/** @param {string} id */
export const button = (id) => byId(id, HTMLButtonElement);
/** @param {string} id */
export const input = (id) => byId(id, HTMLInputElement);
/** @param {string} id */
export const canvas = (id) => byId(id, HTMLCanvasElement);
/** @param {string} id */
export const block = (id) => byId(id, HTMLElement);

/**
 * A new element with properties and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Partial<Record<string, string>>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * A new SVG element.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElementTagNameMap[K]}
 */
export function makeSvg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/**
 * The 2D context of a canvas.
 * @param {HTMLCanvasElement} surface
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function context(surface, settings) {
  const found = surface.getContext("2d", settings);
  if (!found) throw new Error("this browser draws no canvas");
  return found;
}

/**
 * Follow a pointer that went down on an element until it is let go.
 * @param {HTMLElement} element @param {PointerEvent} down @param {(event: PointerEvent) => void} onMove @param {() => void} [onEnd]
 */
export function follow(element, down, onMove, onEnd) {
  element.setPointerCapture(down.pointerId);
  const over = new AbortController();
  const listen = (/** @type {"pointermove" | "pointerup" | "pointercancel"} */ kind, /** @type {(event: PointerEvent) => void} */ act) =>
    element.addEventListener(kind, (event) => event.pointerId === down.pointerId && act(event), { signal: over.signal });
  listen("pointermove", onMove);
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) listen(end, () => (over.abort(), onEnd?.()));
}

/** Replace what a list holds; a button in it that had the focus hands it to the one that takes its place. @param {HTMLElement} list @param {HTMLElement[]} items */
export function refill(list, items) {
  const at = [...list.querySelectorAll("button")].findIndex((one) => one === document.activeElement);
  list.replaceChildren(...items);
  if (at < 0) return;
  const buttons = list.querySelectorAll("button");
  buttons[Math.min(at, buttons.length - 1)]?.focus({ preventScroll: true });
}

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Whether the person asked for less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @param {EventTarget | null} target */
export const isSlider = (target) => target instanceof HTMLInputElement && target.type === "range";

/** Whether keys go into a field rather than to the studio. @param {EventTarget | null} target */
export function isField(target) {
  if (target instanceof HTMLInputElement) return !["range", "checkbox", "button"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
