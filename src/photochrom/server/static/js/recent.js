// Photos of earlier sessions, where the browser still knows the way to their files.

import { block, make } from "./dom.js";
import { recent } from "./sessions.js";
import { complain } from "./talk.js";

const MOST = 6;

/** Offer them on the first page. @param {(photos: import("./files.js").Brought[]) => void} onPhotos */
export async function showRecent(onPhotos) {
  const sessions = await recent(MOST).catch(() => []);
  block("recent-section").hidden = sessions.length === 0;
  block("recent").replaceChildren(
    ...sessions.map(({ name, when, handle }) => {
      const day = new Date(when).toLocaleDateString(undefined, { dateStyle: "medium" });
      const go = make("button", { type: "button", class: "small" }, name, make("span", { class: "quiet" }, day));
      go.addEventListener("click", () => reopen(handle).then((brought) => onPhotos([brought]), complain));
      return make("li", {}, go);
    }),
  );
}

/** @param {any} handle */
async function reopen(handle) {
  if ((await handle.requestPermission?.()) === "denied") throw new Error("The browser may not open this file: choose it again.");
  return { file: await handle.getFile(), handle };
}
