// The entry: a studio, and the ways in which photos get there.

import { listenForFiles, showExamples } from "./files.js";
import { showRecent } from "./recent.js";
import { Studio } from "./studio.js";
import { complain } from "./talk.js";
import { wire } from "./wiring.js";

const studio = new Studio();
wire(studio);
listenForFiles((photos) => void studio.take(photos), (file) => void studio.keeping.open(file));
showExamples((file) => void studio.take([{ file }])).catch(complain);
void showRecent((photos) => void studio.take(photos));
document.body.dataset.ready = "true";
