// The photos of this window: each with its own engine and steps, opened one after the other.

import { Coloring } from "./document.js";
import { known, ServerEngine } from "./engine.js";
import { projectFrom, projectOf } from "./project.js";
import { keep, recall } from "./sessions.js";

/** @typedef {import("./document.js").Version} Version */
/** @typedef {"waiting" | "working" | "done" | "failed"} State */

/** One photo. Its engine and coloring are there once it is ready. */
export class Entry {
  /** @param {File} file @param {FileSystemFileHandle} [handle] */
  constructor(file, handle) {
    this.file = file;
    this.handle = handle;
    this.name = file.name;
    /** @type {State} */
    this.state = "waiting";
    this.found = 0; // steps of an earlier session that are back
    /** @type {ServerEngine | null} */
    this.engine = null;
    /** @type {Coloring | null} */
    this.coloring = null;
    /** @type {Promise<Ready> | null} */
    this.opening = null;
    /** @type {((coloring: Coloring) => void)[]} what to do once it is ready */
    this.orders = [];
  }

  get photo() {
    return { name: this.name, sha256: this.engine?.info.sha256 ?? "" };
  }

  /** Keep the session in this browser; where that is not allowed, work goes on without. */
  keep() {
    const { coloring, photo, name, handle } = this;
    if (!coloring || coloring.dragged || coloring.steps.length < 2) return;
    const session = { sha256: photo.sha256, name, when: Date.now(), project: projectOf(photo, coloring) };
    keep(handle ? { ...session, handle } : session).catch(() => keep(session).catch(() => {}));
  }
}

/** @typedef {Entry & {engine: ServerEngine, coloring: Coloring}} Ready */

/** All photos. "change" tells that there are others, or that one has got on. */
export class Album extends EventTarget {
  constructor() {
    super();
    /** @type {Entry[]} */
    this.entries = [];
    /** @type {Entry | null} the one on the stage */
    this.current = null;
    this.working = false;
    /** @type {{name: string, error: unknown}[]} */
    this.failures = [];
  }

  get ready() {
    return this.entries.filter((entry) => entry.state === "done");
  }

  get hasUnsaved() {
    return this.entries.some(({ coloring }) => coloring?.isUnsaved);
  }

  /** @param {Entry[]} entries */
  add(entries) {
    this.entries.push(...entries);
    this.changed();
    void this.#work();
  }

  /** @param {Entry} entry */
  remove(entry) {
    entry.engine?.close();
    this.entries = this.entries.filter((other) => other !== entry);
    this.changed();
  }

  changed = () => this.dispatchEvent(new Event("change"));

  /** Open a photo, unless it is open; it may overtake the ones that wait. @param {Entry} entry @returns {Promise<Ready>} */
  open(entry) {
    entry.opening ??= this.#open(entry);
    return entry.opening;
  }

  /** All that wait, one after the other; "done" tells the end. */
  async #work() {
    if (this.working) return;
    this.working = true;
    for (let next; (next = this.entries.find(({ state }) => state === "waiting")); ) await this.open(next).catch(() => {});
    this.working = false;
    this.dispatchEvent(new Event("done"));
  }

  /** @param {Entry} entry @returns {Promise<Ready>} */
  async #open(entry) {
    entry.state = "working";
    this.changed();
    try {
      await refuse(entry.file);
      entry.engine = await ServerEngine.open(entry.file);
      const coloring = (entry.coloring = new Coloring(entry.engine.info.vividness));
      await this.#recall(entry, coloring);
      for (const order of entry.orders.splice(0)) order(coloring);
      for (const event of ["change", "settle"]) coloring.addEventListener(event, () => entry.keep());
      entry.state = "done";
      return /** @type {Ready} */ (entry);
    } catch (error) {
      entry.state = "failed";
      this.failures.push({ name: entry.name, error });
      this.remove(entry);
      throw error;
    } finally {
      this.changed();
    }
  }

  /** Take up an earlier session of this photo. @param {Entry} entry @param {Coloring} coloring */
  async #recall(entry, coloring) {
    try {
      const session = await recall(entry.photo.sha256);
      if (!session) return;
      coloring.restore(projectFrom(session.project, coloring.usualVividness));
      entry.found = coloring.steps.length - 1;
    } catch {
      return; // this browser keeps nothing, or something that is not ours
    }
  }

  /** Do something to all photos but one, now or once they are ready. @param {Entry} but @param {(coloring: Coloring) => void} order */
  forOthers(but, order) {
    for (const entry of this.entries) {
      if (entry === but) continue;
      if (entry.coloring && entry.state === "done") order(entry.coloring);
      else entry.orders.push(order);
    }
    this.changed();
  }
}

/** Say it before a file is sent in vain. @param {File} photo */
async function refuse(photo) {
  if (photo.size === 0) throw new Error("This file is empty or gone. Choose another one.");
  await photo.slice(0, 1).arrayBuffer().catch(() => {
    throw new Error("This file has changed since it was chosen. Choose it again.");
  });
  const { body } = (await known()).limits;
  if (photo.size <= body - 4096) return;
  const [has, takes] = [photo.size, body].map((size) => Math.ceil(size / (1 << 20)));
  throw new Error(
    `This file has ${has} MiB, and the server takes ${takes}. ` +
      `Start it with "photochrom serve --max-body ${has + 1}", or use "photochrom colorize".`,
  );
}
