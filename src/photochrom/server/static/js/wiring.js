// Which button, key and gesture calls what in the studio.

import { fillKeys, listenForCancel, listenForDownload, showDialog, showDownload } from "./dialogs.js";
import { button, input } from "./dom.js";
import { onChosen } from "./files.js";
import { wireStrip } from "./strip.js";
import { Gestures } from "./gestures.js";
import { Cross, HELP, listenForKeys } from "./keyboard.js";

/** @typedef {import("./studio.js").Studio} Studio */
/** @typedef {import("./studio.js").Tool} Tool */

/** Connect the page with a studio. @param {Studio} studio */
export function wire(studio) {
  const commands = commandsOf(studio);
  new Gestures(studio.view, {
    click: (at) => studio.click(at),
    draws: () => ["stroke", "lasso"].includes(studio.tool),
    drawing: (points) => studio.stroke(points, false),
    drawn: (points) => studio.stroke(points, true),
    resize: (factor) => studio.editor.resize(factor),
  });
  new Cross(studio.view, (at) => studio.click(at));
  wireTools(studio);
  wireButtons(studio, commands);
  wireVividness(studio);
  onChosen(input("reference-file"), ([photo]) => void studio.reference.load(photo));
  wireStrip({ forAll: () => studio.forAll(), close: () => studio.closeShown() });
  listenForCancel();
  listenForDownload((...asked) => studio.keeping.download(...asked));
  fillKeys(HELP);
  listenForKeys(commands, (number) => studio.editor.takeSuggestion(number), (on) => studio.compare.peek(on));
  window.addEventListener("beforeunload", (event) => {
    if (studio.album.hasUnsaved) event.preventDefault(); // the browser asks
  });
  window.addEventListener("pagehide", (event) => {
    if (!event.persisted) for (const { engine } of studio.album.entries) engine?.close();
  });
}

/** @param {Studio} studio */
function wireTools(studio) {
  for (const one of document.querySelectorAll("#tools button")) {
    if (!(one instanceof HTMLButtonElement)) continue;
    const { tool, view } = one.dataset;
    one.addEventListener("click", () => (tool ? studio.setTool(/** @type {Tool} */ (tool)) : studio.toggleView(view ?? "")));
  }
  for (const one of document.querySelectorAll("[data-close]")) {
    one.addEventListener("click", () => studio.closeDrawers());
  }
}

/** @param {Studio} studio @param {import("./keyboard.js").Commands} commands */
function wireButtons(studio, commands) {
  const { view } = studio;
  for (const id of ["undo", "redo", "download", "help"]) button(id).addEventListener("click", () => commands[id]());
  button("zoom-in").addEventListener("click", () => view.zoom(1.4));
  button("zoom-out").addEventListener("click", () => view.zoom(1 / 1.4));
  button("zoom-fit").addEventListener("click", () => view.toggleFull());
  view.addEventListener("move", () => {
    button("zoom-fit").textContent = view.isFitted ? "Fit" : `${Math.round(100 * view.share)} %`;
  });
  button("keep").addEventListener("click", () => showDialog("keep-dialog"));
  button("hints-save").addEventListener("click", () => studio.keeping.saveHints());
  button("project-save").addEventListener("click", () => studio.keeping.saveProject());
  button("dots").addEventListener("click", () => studio.toggleDots());
  button("show-guessing").addEventListener("click", () => studio.showGuessing(true));
  button("clear").addEventListener("click", () => studio.startFrom([]));
}

/** @param {Studio} studio */
function wireVividness(studio) {
  const slider = input("vividness");
  slider.addEventListener("input", () => studio.coloring.drag({ vividness: Number(slider.value) }));
  slider.addEventListener("change", () => studio.coloring.settle());
  const reset = () => studio.coloring.commit({ vividness: studio.coloring.usualVividness });
  button("vividness-reset").addEventListener("click", reset);
  slider.addEventListener("dblclick", reset);
}

/** @param {Studio} studio @returns {import("./keyboard.js").Commands} */
function commandsOf(studio) {
  const withPhoto = (/** @type {() => void} */ act) => () => studio.engine && act();
  const views = ["compare", "guessing", "ideas", "reference"];
  const tools = /** @type {Tool[]} */ (["hint", "stroke", "pin", "pick"]);
  return {
    ...Object.fromEntries(tools.map((tool) => [tool, withPhoto(() => studio.setTool(tool))])),
    ...Object.fromEntries(views.map((view) => [view, withPhoto(() => studio.toggleView(view))])),
    dots: withPhoto(() => studio.toggleDots()),
    before: withPhoto(() => studio.turn(-1)),
    after: withPhoto(() => studio.turn(1)),
    reach: withPhoto(() => studio.editor.toggleReach()),
    next: withPhoto(() => studio.next()),
    open: () => input("file").click(),
    zoomIn: withPhoto(() => studio.view.zoom(1.4)),
    zoomOut: withPhoto(() => studio.view.zoom(1 / 1.4)),
    zoomFit: withPhoto(() => studio.view.fit()),
    zoomFull: withPhoto(() => studio.view.full()),
    help: () => showDialog("help-dialog"),
    smaller: withPhoto(() => studio.editor.resize(0.8)),
    larger: withPhoto(() => studio.editor.resize(1.25)),
    close: () => studio.close(),
    delete: withPhoto(() => studio.editor.delete()),
    undo: withPhoto(() => studio.coloring.undo()),
    redo: withPhoto(() => studio.coloring.redo()),
    download: withPhoto(() => studio.engine && showDownload(studio.engine.info, studio.album.entries.length)),
  };
}
