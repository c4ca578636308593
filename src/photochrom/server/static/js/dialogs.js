// Dialogs: the download's options, the hints file, the keys.

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
 * @param {(options: FileOptions) => Promise<void>} onDownload
 */
export function listenForDownload(onDownload) {
  byId("file-format", HTMLSelectElement).addEventListener("change", showWhatApplies);
  input("file-quality").addEventListener("input", () => {
    block("quality-out").textContent = input("file-quality").value;
  });
  byId("download-form", HTMLFormElement).addEventListener("submit", async (event) => {
    event.preventDefault();
    const go = button("download-go");
    go.disabled = true;
    go.textContent = "Making the file…";
    await onDownload(chosenOptions());
    go.disabled = false;
    go.textContent = "Download";
    closeDialog("download-dialog");
  });
}

/** @param {PhotoInfo} info */
export function showDownload(info) {
  byId("file-format", HTMLSelectElement).value = info.download_format;
  block("download-size").textContent = `${info.width} × ${info.height} pixels, as large as the photo.`;
  showWhatApplies();
  showDialog("download-dialog");
}

function showWhatApplies() {
  const format = byId("file-format", HTMLSelectElement).value;
  block("quality-line").hidden = !LOSSY.includes(format);
  block("depth-line").hidden = !DEEP.includes(format);
}

/** @returns {FileOptions} */
function chosenOptions() {
  const format = byId("file-format", HTMLSelectElement).value;
  const depth = byId("file-depth", HTMLSelectElement).value;
  return {
    format,
    quality: Number(input("file-quality").value),
    depth: DEEP.includes(format) && depth ? Number(depth) : null,
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
