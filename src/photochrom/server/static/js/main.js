// The entry: a studio, and the ways in which a photo gets there.

import { listenForFiles, showExamples } from "./files.js";
import { Studio } from "./studio.js";
import { complain } from "./talk.js";
import { wire } from "./wiring.js";

const studio = new Studio();
wire(studio);
listenForFiles((photo) => void studio.open(photo), (hints) => void studio.openHints(hints));
showExamples((photo) => void studio.open(photo)).catch(complain);
document.body.dataset.ready = "true";
