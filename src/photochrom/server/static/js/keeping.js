// Keeping the work: downloads, project and hints files, on the way out and back in.

import { closeDialog, suffixOf } from "./dialogs.js";
import { save, stem } from "./files.js";
import { dump, hint, hintsFrom, parse } from "./hints.js";
import { projectFrom, projectOf, SUFFIX } from "./project.js";
import { keep } from "./sessions.js";
import { announce, complain, succeeded, toast } from "./talk.js";
import { Zip } from "./zip.js";

/** @typedef {import("./album.js").Album} Album */
/** @typedef {import("./album.js").Ready} Ready */
/** @typedef {import("./engine.js").FileOptions} FileOptions */

const LARGEST_ZIP = 2 ** 31; // bytes after which another one is begun

/** What goes from the studio to files and back. */
export class Keeping {
  /** @param {Album} album @param {() => Ready | null} current */
  constructor(album, current) {
    this.album = album;
    this.current = current;
  }

  /** @param {FileOptions} options @param {boolean} all @param {(done: number, of: number) => void} onProgress @param {AbortSignal} signal */
  async download(options, all, onProgress, signal) {
    try {
      if (all) await this.#downloadAll(options, onProgress, signal);
      else await this.#downloadOne(options, signal);
      succeeded();
    } catch (error) {
      if (!signal.aborted) complain(error);
    }
  }

  /** @param {FileOptions} options @param {AbortSignal} signal */
  async #downloadOne(options, signal) {
    const entry = this.current();
    if (!entry) return;
    const { version } = entry.coloring;
    const file = await entry.engine.file(version, options, signal);
    save(file, coloredName(entry.name, file));
    entry.coloring.saved = version;
  }

  /** @param {FileOptions} options @param {(done: number, of: number) => void} onProgress @param {AbortSignal} signal */
  async #downloadAll(options, onProgress, signal) {
    const entries = [...this.album.entries];
    let [zip, part] = [new Zip(), 1];
    /** @type {[Ready, import("./document.js").Version][]} what is in the ZIP file */
    const packed = [];
    /** @type {string[]} what is not in it, and why */
    const failed = [];
    const saveZip = (/** @type {string} */ name) => {
      if (packed.length) save(zip.blob(), name);
      for (const [entry, version] of packed.splice(0)) entry.coloring.saved = version;
    };
    for (const [at, waiting] of entries.entries()) {
      onProgress(at, entries.length);
      const entry = await this.album.open(waiting).catch(() => null);
      if (!entry) continue; // it was told when it failed
      const { version } = entry.coloring;
      const file = await entry.engine.file(version, options, signal).catch((error) => {
        if (signal.aborted) throw error;
        failed.push(`${entry.name}: ${error.message}`);
      });
      if (!file) continue;
      if (zip.size + file.size > LARGEST_ZIP) {
        saveZip(`photochrom-${part++}.zip`);
        zip = new Zip();
      }
      await zip.add(coloredName(entry.name, file), file);
      await zip.add(stem(entry.name) + SUFFIX, projectFile(entry));
      packed.push([entry, version]);
    }
    saveZip(part > 1 ? `photochrom-${part}.zip` : "photochrom.zip");
    if (failed.length) throw new Error(`Not in the ZIP file: ${failed.slice(0, 3).join(" ")}${more(failed.length - 3)}`);
  }

  saveHints() {
    const entry = this.current();
    if (!entry) return;
    save(new Blob([dump(entry.coloring.hints)], { type: "application/json" }), `${stem(entry.name)}.hints.json`);
    closeDialog("keep-dialog");
  }

  saveProject() {
    const entry = this.current();
    if (!entry) return;
    save(projectFile(entry), stem(entry.name) + SUFFIX);
    entry.coloring.saved = entry.coloring.version;
    closeDialog("keep-dialog");
  }

  /** A project or hints file came. @param {File} file */
  async open(file) {
    try {
      const data = parse(await file.text());
      if (data?.photo) await this.#openProject(data);
      else this.#openHints(data);
      succeeded();
    } catch (error) {
      complain(error);
    } finally {
      closeDialog("keep-dialog"); // it would hide what is said
    }
  }

  /** @param {any} data */
  #openHints(data) {
    const entry = this.current();
    if (!entry) throw new Error("Open the photo first, then its hints.");
    entry.coloring.select(null);
    entry.coloring.commit({ hints: hintsFrom(data).map((one) => hint(one)) }, "A hints file");
    announce(`${entry.coloring.hints.length} hints opened.`);
  }

  /** A project goes to its photo; where that is not open, it waits for it in this browser. @param {any} data */
  async #openProject(data) {
    const entry = this.current();
    const project = projectFrom(data, entry?.engine.info.vividness ?? 0);
    const { name, sha256 } = project.photo;
    const owner = this.album.ready.find(({ photo }) => photo.sha256 === sha256);
    if (owner?.coloring) return owner.coloring.restore(project);
    const here = { label: "Use it here", act: () => entry?.coloring.commit(project.steps[project.at].version, name) };
    await keep({ sha256, name, when: Date.now(), project: data }).catch(() => {});
    toast(`This project belongs to ${name}: open that photo, and it goes on.`, "note", entry ? here : undefined);
  }
}

/** @param {number} others */
const more = (others) => (others > 0 ? ` And ${others} more.` : "");

/** @param {Ready} entry */
function projectFile(entry) {
  const text = JSON.stringify(projectOf(entry.photo, entry.coloring), null, 1);
  return new Blob([text, "\n"], { type: "application/json" });
}

/** @param {string} name @param {Blob} file */
const coloredName = (name, file) => `${stem(name)}.colorized.${suffixOf(file.type.replace("image/", ""))}`;
