// The participant's page: shows each picture for one second, asks, sends the answer, goes on.
// Everything it must remember is one word (the participant's id); the server knows the rest.

const EXPOSURE = 1000; // milliseconds a picture is shown
const GAP = 300; // between the pictures, and before the first
const FEEDBACK = 1100; // how long "right" or "wrong" stays, in practice

const $ = (id) => document.getElementById(id);
const sides = { left: $("left"), right: $("right") };
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const sections = ["welcome", "trial", "pause", "end", "broken"];

let memory = "photochrom-study"; // where the id is kept; the study's own name is added
let state = null;
let choosing = null; // resolves with the choice while the participant may choose

async function ask(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  const data = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(data.detail), { status: answer.status });
  return data;
}

function show(name) {
  for (const section of sections) $(section).hidden = section !== name;
  $(name).querySelector("button.main")?.focus();
}

function progress() {
  const counted = state.total - state.practice;
  const done = Math.max(0, state.answered - state.practice);
  $("bar").style.width = `${(100 * state.answered) / state.total}%`;
  const bar = $("bar").parentElement;
  bar.setAttribute("aria-valuemax", state.total);
  bar.setAttribute("aria-valuenow", state.answered);
  const practising = state.answered < state.practice;
  if (!state.trial) $("count").textContent = "";
  else if (practising) $("count").textContent = `Practice ${state.answered + 1} of ${state.practice}`;
  else $("count").textContent = `${done + 1} of ${counted}`;
}

// --- the course of the study ------------------------------------------------------------------

const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

async function start() {
  const about = await ask("GET", "/api/study");
  memory = `photochrom-study-${about.study}`;
  const practice = about.practice ? `${counted(about.practice, "pair")} for practice, then ` : "";
  const minutes = Math.ceil(((about.practice + about.pairs) * 5) / 60);
  $("plan").textContent = `${practice}${counted(about.pairs, "pair")} that count: about ${counted(minutes, "minute")}.`;
  const known = localStorage.getItem(memory);
  if (known) {
    try {
      state = await ask("GET", `/api/participants/${encodeURIComponent(known)}`);
    } catch (error) {
      if (error.status !== 404) throw error;
      localStorage.removeItem(memory);
    }
  }
  if (!state) show("welcome");
  else if (state.answered === 0) show("welcome");
  else await next();
}

async function begin() {
  if (!state) {
    state = await ask("POST", "/api/participants");
    localStorage.setItem(memory, state.participant);
  }
  await next();
}

async function next() {
  progress();
  if (!state.trial) return finish();
  if (state.practice && state.answered === state.practice && !state.paused) return show("pause");
  await run(state.trial);
}

async function run(trial) {
  show("trial");
  reset(trial);
  await Promise.all([load("left", trial.left), load("right", trial.right)]);
  if (trial.kind === "preference") {
    sides.left.classList.add("shown");
    sides.right.classList.add("shown");
  } else {
    await expose(trial.first);
    await expose(trial.first === "left" ? "right" : "left");
    await wait(GAP);
  }
  const { choice, milliseconds } = await choose(trial);
  const paused = state.paused;
  state = await ask("POST", `/api/participants/${encodeURIComponent(state.participant)}/answers`, {
    trial: trial.index,
    choice,
    milliseconds,
  });
  state.paused = paused;
  if (trial.kind === "practice") await tell(choice, state.right);
  await next();
}

function reset(trial) {
  $("feedback").textContent = "";
  $("tie").hidden = true;
  $("question").textContent = trial.kind === "preference" ? "" : "Look …";
  for (const side of Object.values(sides)) side.classList.remove("shown", "right");
}

async function load(side, name) {
  const image = sides[side].querySelector("img");
  image.src = `/api/images/${name}`;
  await image.decode();
}

// A picture is shown for one second, counted from the frame in which it appears.
async function expose(side) {
  await wait(GAP);
  await new Promise(requestAnimationFrame);
  sides[side].classList.add("shown");
  await new Promise(requestAnimationFrame);
  await wait(EXPOSURE);
  sides[side].classList.remove("shown");
}

function choose(trial) {
  const preference = trial.kind === "preference";
  $("question").textContent = preference
    ? "Which one looks better?"
    : "Which one was colored by the machine?";
  $("tie").hidden = !preference;
  $("pair").classList.add("choosing");
  const begun = performance.now();
  return new Promise((done) => {
    choosing = (choice) => {
      if (choice === "tie" && !preference) return;
      choosing = null;
      $("pair").classList.remove("choosing");
      done({ choice, milliseconds: performance.now() - begun });
    };
  });
}

async function tell(choice, right) {
  const colored = right ? choice : choice === "left" ? "right" : "left";
  for (const side of Object.values(sides)) side.classList.add("shown");
  sides[colored].classList.add("right");
  $("feedback").textContent = right
    ? "Right: the framed one was colored by the machine."
    : "No: the framed one was colored by the machine.";
  await wait(FEEDBACK);
}

function finish() {
  const { found, pairs } = state.score;
  $("score").textContent = pairs
    ? `You found the machine's picture in ${found} of ${pairs} pairs; guessing gives about ${Math.round(pairs / 2)}.`
    : "";
  show("end");
}

// --- hands ------------------------------------------------------------------------------------

function guarded(action) {
  return () =>
    action().catch((error) => {
      $("reason").textContent = error.message || "The server does not answer.";
      show("broken");
    });
}

const visible = (id) => !$(id).hidden;
const goOn = guarded(async () => {
  state.paused = true;
  await next();
});
// After a fault everything is asked for anew: the server knows what has been answered.
const retry = guarded(async () => {
  state = null;
  await start();
});

$("begin").addEventListener("click", guarded(begin));
$("go").addEventListener("click", goOn);
$("retry").addEventListener("click", retry);
$("again").addEventListener("click", () => {
  localStorage.removeItem(memory);
  location.reload();
});
for (const side of ["left", "right"]) sides[side].addEventListener("click", () => choosing?.(side));
$("tie").addEventListener("click", () => choosing?.("tie"));

const KEYS = {
  ArrowLeft: "left", ArrowUp: "left", "1": "left",
  ArrowRight: "right", ArrowDown: "right", "2": "right",
  " ": "tie", "0": "tie",
};
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !visible("trial")) return;
  const choice = KEYS[event.key];
  if (!choice) return;
  event.preventDefault();
  choosing?.(choice);
});

guarded(start)();
