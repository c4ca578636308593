// Dialogs: the download's options, saving the work, the keys.

import { block, button, byId, input, make } from "./dom.js";

/** @typedef {import("./engine.js").FileOptions} FileOptions */
/** @typedef {import("./engine.js").PhotoInfo} PhotoInfo */

const DEEP = ["png", "tiff"]; // hold 16 bits
const LOSSY = ["jpeg", "webp", "avif"];

/** @param {string} id */
const dialog = (id) => byId(id, HTMLDialogElement);

/** Buttons that close their dialog, and a click beside it. */
export function listenForCancel() {
  for (const open of document.querySelectorAll("dialog")) {
    open.querySelector("[data-cancel]")?.addEventListener("click", () => open.close());
    open.addEventListener("click", (event) => {
      if (event.target === open) open.close();
    });
  }
}

/** @param {string} id */
export const showDialog = (id) => dialog(id).showModal();
/** @param {string} id */
export const closeDialog = (id) => dialog(id).close();

/**
 * Wire the download dialog.
 * @param {(options: FileOptions, all: boolean, onProgress: (done: number, of: number) => void, signal: AbortSignal) => Promise<void>} onDownload
 */
export function listenForDownload(onDownload) {
  let stop = new AbortController();
  for (const id of ["file-format", "download-all"]) block(id).addEventListener("change", showWhatApplies);
  input("file-quality").addEventListener("input", () => {
    block("quality-out").textContent = input("file-quality").value;
  });
  dialog("download-dialog").addEventListener("close", () => stop.abort());
  byId("download-form", HTMLFormElement).addEventListener("submit", async (event) => {
    event.preventDefault();
    const [go, progress] = [button("download-go"), byId("download-progress", HTMLProgressElement)];
    const all = input("download-all").checked;
    stop = new AbortController();
    go.disabled = true;
    go.textContent = all ? "Making the files…" : "Making the file…";
    progress.hidden = !all;
    await onDownload(chosenOptions(), all, (done, of) => (progress.value = done / of), stop.signal);
    go.disabled = false;
    go.textContent = "Download";
    progress.hidden = true;
    if (!stop.signal.aborted) closeDialog("download-dialog"); // else the person has, and may have opened it again
  });
}

/** @param {PhotoInfo} info @param {number} photos how many there are */
export function showDownload(info, photos) {
  byId("file-format", HTMLSelectElement).value = info.download_format;
  block("download-size").textContent = `${info.width} × ${info.height} pixels, as large as the photo.`;
  block("download-all-line").hidden = photos < 2;
  block("download-count").textContent = String(photos);
  if (photos < 2) input("download-all").checked = false;
  showWhatApplies();
  showDialog("download-dialog");
}

function showWhatApplies() {
  const [all, choice] = [input("download-all").checked, byId("file-format", HTMLSelectElement)];
  const own = /** @type {HTMLOptionElement} */ (choice.options[0]);
  own.hidden = !all; // each photo's own format
  if (all && !choice.dataset.all) choice.value = "";
  if (!all && choice.value === "") choice.value = "jpeg";
  choice.dataset.all = all ? "true" : "";
  block("quality-line").hidden = choice.value !== "" && !LOSSY.includes(choice.value);
  block("depth-line").hidden = !DEEP.includes(choice.value);
}

/** @returns {FileOptions} */
function chosenOptions() {
  const format = byId("file-format", HTMLSelectElement).value || null;
  const depth = byId("file-depth", HTMLSelectElement).value;
  return {
    format,
    quality: Number(input("file-quality").value),
    depth: format && DEEP.includes(format) && depth ? Number(depth) : null,
    strip: !input("file-metadata").checked,
    mark: input("file-mark").checked,
  };
}

/** The suffix of a format's files. @param {string | null} format */
export const suffixOf = (format) => ({ jpeg: "jpg", tiff: "tif" })[format ?? ""] ?? format ?? "png";

/** @param {[string, string][]} keys */
export function fillKeys(keys) {
  const rows = keys.map(([key, meaning]) => {
    const caps = key.split(" ").map((cap) => make("kbd", {}, cap));
    return make("tr", {}, make("th", { scope: "row" }, ...caps), make("td", {}, meaning));
  });
  block("keys").replaceChildren(...rows);
}
