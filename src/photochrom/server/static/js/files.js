// Photos come in by drop, paste, picker or example; files go out as downloads.

import { block, button, input, make } from "./dom.js";

const EXAMPLES = "static/examples/examples.json";

/**
 * Listen for photos and hints files wherever they come from.
 * @param {(photo: File) => void} onPhoto
 * @param {(hints: File) => void} onHints
 */
export function listenForFiles(onPhoto, onHints) {
  const take = (/** @type {File | undefined | null} */ file) => {
    if (file) (isHints(file) ? onHints : onPhoto)(file);
  };
  const picker = input("file");
  for (const id of ["choose", "open"]) button(id).addEventListener("click", () => picker.click());
  onChosen(picker, take);
  onChosen(input("hints-input"), onHints);
  button("hints-open").addEventListener("click", () => input("hints-input").click());
  document.addEventListener("paste", (event) => take(event.clipboardData?.files[0]));
  listenForDrops(take);
}

/** A file input's choice; choosing the same file again counts. @param {HTMLInputElement} picker @param {(file: File) => void} take */
export function onChosen(picker, take) {
  picker.addEventListener("change", () => {
    const file = picker.files?.[0];
    picker.value = "";
    if (file) take(file);
  });
}

/** @param {(file: File | undefined) => void} take */
function listenForDrops(take) {
  const veil = block("veil");
  let depth = 0; // dragenter and dragleave come for every element on the way
  document.addEventListener("dragenter", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    depth += 1;
    veil.hidden = false;
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("dragleave", () => {
    depth = Math.max(depth - 1, 0);
    veil.hidden = depth === 0;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    take(event.dataTransfer?.files[0]);
  });
}

/** @param {File} file */
const isHints = (file) => file.type === "application/json" || file.name.toLowerCase().endsWith(".json");

/**
 * Show the examples that are shipped with the studio.
 * @param {(photo: File) => void} onPhoto
 */
export async function showExamples(onPhoto) {
  const response = await fetch(EXAMPLES);
  if (!response.ok) return;
  /** @type {{file: string, title: string, credit: string}[]} */
  const examples = await response.json();
  block("examples").replaceChildren(...examples.map((example) => exampleItem(example, onPhoto)));
  block("examples-section").hidden = examples.length === 0;
}

/** @param {{file: string, title: string, credit: string}} example @param {(photo: File) => void} onPhoto */
function exampleItem({ file, title, credit }, onPhoto) {
  const url = `static/examples/${file}`;
  const picture = make("img", { src: url, alt: "", loading: "lazy" });
  const choose = make("button", { type: "button", class: "example", title: credit }, picture, make("span", {}, title));
  choose.addEventListener("click", async () => {
    const photo = await (await fetch(url)).blob();
    onPhoto(new File([photo], file, { type: photo.type }));
  });
  return make("li", {}, choose);
}

/** Save a file on the person's computer. @param {Blob} content @param {string} name */
export function save(content, name) {
  const link = make("a", { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A file name without its suffix. @param {string} name */
export const stem = (name) => name.replace(/\.[^.]+$/, "") || "photo";
