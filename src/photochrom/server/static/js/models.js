// The menu of models, and what the chosen one cannot do.

import { block, byId, make } from "./dom.js";
import { known } from "./engine.js";

/** @typedef {import("./engine.js").Model} Model */
/** @typedef {import("./document.js").Coloring} Coloring */

/** Lets a photo be colored by another model; hidden where there is but one. */
export class ModelMenu {
  /** @param {(error: unknown) => void} onError */
  constructor(onError) {
    this.menu = byId("model", HTMLSelectElement);
    /** @type {Model[]} */
    this.models = [];
    /** @type {Coloring | null} */
    this.coloring = null;
    this.menu.addEventListener("change", () => {
      const own = this.models.find(({ name }) => name === this.menu.value)?.loaded;
      this.coloring?.commit({ model: own ? "" : this.menu.value });
    });
    known().then(({ models }) => this.#fill(models)).catch(onError);
  }

  /** @param {Model[]} models */
  #fill(models) {
    this.models = models;
    this.menu.replaceChildren(...models.map(({ name }) => make("option", { value: name }, name)));
    block("model-line").hidden = models.length < 2;
    this.show();
  }

  /** @param {Coloring} coloring @param {AbortSignal} signal */
  open(coloring, signal) {
    this.coloring = coloring;
    coloring.addEventListener("change", () => this.show(), { signal });
    this.show();
  }

  /** The model of the photo on the stage; none while the list is not here, or where a project names one that is not. */
  get model() {
    const name = this.coloring?.version.model;
    return this.models.find((model) => (name ? model.name === name : model.loaded));
  }

  /** Whether it gives a distribution: suggestions, where it is unsure, ideas. */
  get hasDistribution() {
    return this.model?.distribution ?? true;
  }

  show() {
    const { model } = this;
    this.menu.value = model?.name ?? "";
    block("model-note").textContent = model?.noncommercial ? `License ${model.licence}: no commercial use.` : "";
    document.body.dataset.distribution = String(this.hasDistribution);
  }
}
