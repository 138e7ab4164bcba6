"use strict";
// The maps of the galaxy that is shown: which one, and all of them at hand before they are asked
// for. Their cells come as numbers, by run and by what they are of, and are drawn here.

const MODES = ["image", "increase", "decrease", "both"];
const OF = { fraction: "fraction", concentration: "concentration", cross_entropy: "loss" };
// as catalog/release/gallery/images.py draws overlays
const MOST_SIDE = 448;
const OPAQUE = 0.85;
const FULL = { increase: [213, 82, 63], decrease: [47, 120, 180] };
const mapSets = new Map(); // by run and of: what maps.json says of the galaxy that is shown
const pictures = new Map(); // by address: images of the galaxy that is shown
const mapChoice = { of: "fraction", run: "" }; // kept from galaxy to galaxy, as `seen` is

// --- drawing

/** For each of `size` pixels the first of the two cells between whose centres it lies, and how far on. */
function between(cells, size) {
  return Array.from({ length: size }, (_, pixel) => {
    const at = Math.min(Math.max(((pixel + 0.5) * cells) / size - 0.5, 0), cells - 1);
    const first = Math.min(Math.floor(at), Math.max(cells - 2, 0));
    return [first, at - first];
  });
}

/** A map (h, w) between the centres of its cells, bilinear: rows of (side, side). */
function upsampled(cells, side) {
  const [height, width] = [cells.length, cells[0].length];
  const across = between(width, side);
  const rows = cells.map((row) =>
    across.map(([first, on]) => row[first] + on * (row[Math.min(first + 1, width - 1)] - row[first])),
  );
  return between(height, side).map(([first, on]) => {
    const [upper, lower] = [rows[first], rows[Math.min(first + 1, height - 1)]];
    return upper.map((value, x) => value + on * (lower[x] - value));
  });
}

/** One sign of an upsampled map as colour and opacity on a canvas. */
function overlay(fine, sign, reach) {
  const side = fine.length;
  const canvas = make("canvas", { width: side, height: side });
  const pen = canvas.getContext("2d");
  const pixels = pen.createImageData(side, side);
  const [red, green, blue] = FULL[sign > 0 ? "increase" : "decrease"];
  let at = 0;
  for (const row of fine) {
    for (const value of row) {
      pixels.data[at] = red;
      pixels.data[at + 1] = green;
      pixels.data[at + 2] = blue;
      pixels.data[at + 3] = Math.round((255 * OPAQUE * Math.max(sign * value, 0)) / reach);
      at += 4;
    }
  }
  pen.putImageData(pixels, 0, 0);
  return canvas;
}

/** The element of an image or an overlay; `ready` of an image says whether it could be loaded. */
function kept(what, src, alt = "") {
  let element = src;
  if (typeof src === "string") {
    element = pictures.get(src) ?? make("img", { src });
    element.ready ??= element.decode().then(
      () => true,
      () => false,
    );
    element.alt = alt;
    pictures.set(src, element);
  }
  element.className = what;
  return element;
}

function leaveMaps() {
  mapSets.clear();
  pictures.clear();
}

// --- which map

/** What is known of the maps by a run of something: `told`, or why not, once it is `ready`. */
function mapSet(run, of) {
  const key = `${run} ${of}`;
  let set = mapSets.get(key);
  if (!set) {
    const query = new URLSearchParams({ of, ...(run && { run }) });
    const { signal } = staying;
    set = { told: null, refused: "" };
    set.ready = fetched(galaxyAddress(here.name, `maps.json?${query}`), { signal }).then(
      (told) => (set.told = told),
      (error) => (set.refused = error.message),
    );
    mapSets.set(key, set);
  }
  return set;
}

/** Take what was told of the maps first: by the newest run, of fractions. */
function takeMaps() {
  const { told, refused } = mapSet("", "fraction");
  here.runs = told?.runs ?? [];
  here.mapped = here.runs.length > 0;
  here.unmapped = refused;
  if (told) mapSets.set(`${told.run} fraction`, mapSet("", "fraction"));
}

/** The run whose maps are shown. */
function runHere() {
  const newest = mapSet("", "fraction").told?.run;
  return here.runs.find(({ run }) => String(run) === mapChoice.run) ?? here.runs.find(({ run }) => run === newest);
}

/** Offer the answers, the runs and what there are maps of. */
function offerMaps() {
  const groups = here.questions.map(({ question, answers }) => {
    const options = answers.map(([answer]) => make("option", { value: `${question}_${answer}` }, `${question}: ${answer}`));
    return make("optgroup", { label: question }, ...options);
  });
  byId("map-answer").replaceChildren(...groups);
  const runs = here.runs.map(({ run, method }) => make("option", { value: run }, `${method ?? "maps"}, run ${run}`));
  byId("map-run").replaceChildren(...runs);
  byId("map-run-label").hidden = runs.length < 2;
  byId("map-choices").hidden = !here.mapped;
}

/** The answer that is looked at first: the one that costs most, else the likeliest. */
function firstAnswer() {
  if (here.told.costliest) return here.told.costliest;
  const most = (key) =>
    answersHere().reduce((best, one) => ((one[key] ?? 0) > (best?.[key] ?? 0) ? one : best), null);
  return (most("ce") ?? most("predicted") ?? answersHere()[0])?.label;
}

/** What of the maps the address holds. */
function mapState() {
  return {
    "g-answer": here.label === here.first ? null : here.label,
    "g-of": mapChoice.of === "fraction" ? null : mapChoice.of,
    "g-show": seen.mode === "both" ? null : seen.mode,
    "g-run": mapChoice.run || null,
  };
}

/** Show the map that a state names. */
function followMaps(state) {
  here.first ??= firstAnswer();
  const answers = answersHere();
  const wanted = state["g-answer"] ?? here.first;
  mapChoice.of = state["g-of"] in OF ? state["g-of"] : "fraction";
  mapChoice.run = here.runs.some(({ run }) => String(run) === state["g-run"]) ? state["g-run"] : "";
  seen.mode = MODES.includes(state["g-show"]) ? state["g-show"] : "both";
  Object.assign(here, answers.find(({ label }) => label === wanted) ?? answers[0]);
  if (here.drawn !== choiceHere()) draw();
}

// --- showing it

const choiceHere = () => [here.label, mapChoice.of, mapChoice.run, seen.mode].join(" ");

/** Show image, map and votes as they are chosen. */
function draw() {
  here.drawn = choiceHere();
  const set = here.mapped ? mapSet(runHere().run, mapChoice.of) : null;
  const one = set?.told?.answers.find(({ label }) => label === here.label);
  here.map = one ? mapAsShown(one, set.told) : null;
  byId("summary").textContent = summaryHere();
  byId("map-answer").value = here.label ?? "";
  byId("map-of").value = mapChoice.of;
  if (here.mapped) byId("map-run").value = runHere().run;
  showStage(here, kept);
  if (here.image) sayIfMissing(pictures.get(here.image), here);
  if (!here.map) byId("caption").textContent = noMap(set);
  showFacts(here, here.mapped ? choose : null);
  wait(set);
}

/** A map as gallery-detail.js has it, drawn. */
function mapAsShown(one, { view }) {
  if (!one.drawn) {
    const fine = upsampled(one.cells, Math.min(view, MOST_SIDE));
    const [increase, decrease] = [1, -1].map((sign) => overlay(fine, sign, one.scale.reach));
    one.drawn = { ...one, increase, decrease, of: OF[mapChoice.of] };
  }
  return one.drawn;
}

function noMap(set) {
  if (!here.mapped) return here.unmapped;
  if (set.refused) return set.refused;
  if (!set.told) return "This map is being made.";
  return mapChoice.of === "cross_entropy"
    ? "There is no loss to explain: nobody voted on this question."
    : "This run has no map of this answer.";
}

/** Draw again when the maps have come; then see to it that the others are there, too. */
async function wait(set) {
  const { signal } = staying;
  if (set && !set.told && !set.refused) {
    const waiting = setTimeout(() => byId("stage").classList.add("waiting"), 150);
    await set.ready;
    clearTimeout(waiting);
    byId("stage").classList.remove("waiting");
    if (!signal.aborted) draw();
    return;
  }
  for (const { run, of } of here.runs) {
    for (const what of of) {
      if (signal.aborted) return;
      await mapSet(run, what).ready;
    }
  }
}

/** In place of an image that cannot be had, the sentence with which it is refused. */
async function sayIfMissing(image, galaxy) {
  if (await image.ready) return;
  try {
    await answerOf(galaxy.image, { signal: staying.signal });
    galaxy.missing = "The server's image cannot be shown.";
  } catch (error) {
    if (error.name === "AbortError") return;
    galaxy.missing = error.message;
  }
  galaxy.image = null;
  if (galaxy === here) draw();
}

// --- choosing

/** Change what is shown, and say so. */
function change(what) {
  what();
  draw();
  const map = here.map ? `Map of its ${OF[mapChoice.of]}: ${seen.mode}.` : byId("caption").textContent;
  byId("galaxy-said").textContent = `${byId("summary").textContent} ${map}`;
  writeState(mapState(), "replace");
}

function chooseLabel(label) {
  Object.assign(here, answersHere().find((one) => one.label === label));
}

function choose(question, answer) {
  change(() => chooseLabel(`${question}_${answer}`));
  byId("facts").querySelector(".chosen button").focus();
}

function chooseMode(mode) {
  if (here?.map) change(() => setMode(mode));
}

byId("map-answer").addEventListener("change", ({ target }) => change(() => chooseLabel(target.value)));
byId("map-of").addEventListener("change", ({ target }) => change(() => (mapChoice.of = target.value)));
byId("map-run").addEventListener("change", ({ target }) => change(() => (mapChoice.run = target.value)));
for (const button of document.querySelectorAll("[data-mode]")) {
  button.addEventListener("click", () => chooseMode(button.dataset.mode));
}
byId("outline").addEventListener("click", toggleOutline);
