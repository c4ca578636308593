// Photos come in by drop, paste, picker, folder or example; files go out as downloads.

import { block, button, input, make } from "./dom.js";
import { reach } from "./engine.js";
import { complain } from "./talk.js";

/** @typedef {{file: File, handle?: FileSystemFileHandle}} Brought a file, with its handle where the browser gives one */

const EXAMPLES = "static/examples/examples.json";
const READ = "jpe?g|jpe|jfif|mpo|png|tiff?|webp|avif|heic|heif|hif|jp2|j2k|jpx|jpf|j2c|bmp|dib|gif|p[bgnp]m|pam";
const REFUSED = "dng|nef|nrw|cr[23w]|arw|sr2|srf|raf|orf|rw2|pef|srw|x3f|3fr|fff|iiq|mef|mos|mrw|dcr|kdc|erf|rwl|jxl|psd"; // by the server, with advice
export const PICTURES = new RegExp(`\\.(${READ}|${REFUSED})$`, "i");

/**
 * Listen for photos and files of our own wherever they come from.
 * @param {(photos: Brought[]) => void} onPhotos
 * @param {(file: File) => void} onJson project and hints files
 */
export function listenForFiles(onPhotos, onJson) {
  const take = (/** @type {Brought[]} */ brought) => {
    for (const { file } of brought.filter(isJson)) onJson(file);
    onPhotos(brought.filter((one) => !isJson(one)));
  };
  const plain = (/** @type {Iterable<File>} */ files) => [...files].map((file) => ({ file }));
  for (const id of ["choose", "open"]) button(id).addEventListener("click", () => input("file").click());
  for (const id of ["choose-folder", "open-folder"]) button(id).addEventListener("click", () => input("folder").click());
  onChosen(input("file"), (files) => take(plain(files)));
  onChosen(input("folder"), (files) => take(pictures(plain(files))));
  onChosen(input("hints-input"), (files) => take(plain(files)));
  button("hints-open").addEventListener("click", () => input("hints-input").click());
  document.addEventListener("paste", (event) => take(plain(event.clipboardData?.files ?? [])));
  listenForDrops((transfer) => void dropped(transfer).then(take).catch(complain));
}

/** A file input's choice; choosing the same file again counts. @param {HTMLInputElement} picker @param {(files: File[]) => void} take */
export function onChosen(picker, take) {
  picker.addEventListener("change", () => {
    const files = [...(picker.files ?? [])];
    picker.value = "";
    if (files.length) take(files);
  });
}

/** @param {(transfer: DataTransfer) => void} take */
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
    if (event.dataTransfer) take(event.dataTransfer);
  });
}

/** What was dropped; of folders, the pictures in them. @param {DataTransfer} transfer @returns {Promise<Brought[]>} */
async function dropped(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  // all is asked for at once: after the first pause the browser takes the items away
  const asked = items.map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile(), handle: handleOf(item) }));
  const brought = [];
  for (const { entry, file, handle } of asked) {
    if (entry?.isDirectory) brought.push(...pictures(await inFolder(/** @type {FileSystemDirectoryEntry} */ (entry))));
    else if (file) brought.push({ file, handle: await handle });
  }
  return brought;
}

/** @param {any} item @returns {Promise<FileSystemFileHandle | undefined>} */
const handleOf = (item) => Promise.resolve(item.getAsFileSystemHandle?.()).catch(() => undefined);

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<Brought[]>} */
async function inFolder(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return found;
    for (const entry of /** @type {any[]} */ (entries)) {
      if (entry.isDirectory) found.push(...(await inFolder(entry)));
      else found.push({ file: /** @type {File} */ (await new Promise((resolve, reject) => entry.file(resolve, reject))) });
    }
  }
}

/** Of a folder's files the pictures, without results of ours, in order. @param {Brought[]} brought */
const pictures = (brought) =>
  brought
    .filter(({ file }) => PICTURES.test(file.name) && !/\.colorized\.\w+$/.test(file.name))
    .sort((one, other) => one.file.name.localeCompare(other.file.name, undefined, { numeric: true }));

/** @param {Brought} brought */
const isJson = ({ file }) => file.type === "application/json" || file.name.toLowerCase().endsWith(".json");

/**
 * Show the examples that are shipped with the studio.
 * @param {(photo: File) => void} onPhoto
 */
export async function showExamples(onPhoto) {
  const response = await reach(EXAMPLES);
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
  choose.addEventListener("click", () => loaded(url, file).then(onPhoto).catch(complain));
  return make("li", {}, choose);
}

/** @param {string} url @param {string} name */
async function loaded(url, name) {
  const photo = await (await reach(url)).blob();
  return new File([photo], name, { type: photo.type });
}

/** Save a file on the person's computer. @param {Blob} content @param {string} name */
export function save(content, name) {
  const link = make("a", { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A file name without its suffix. @param {string} name */
export const stem = (name) => name.replace(/\.[^.]+$/, "") || "photo";
