"use strict";
// Galaxies like the one that is shown: its counterparts, by weights that can be changed, and
// those that are most similar. Each leads to its own view.

const SOON = 250; // ms after the last change of a weight
const WEIGHT_STEP = 0.5;
const MOST = 10; // of a weight
const EACH = 2; // counterparts of each kind
const SIMILAR = 10; // galaxies of each kind
const NO_IMAGE = "No image";
let weighing = 0; // timers
let comparingSoon = 0;
let comparing = new AbortController(); // of the newest request; older ones no longer count
const weights = new Map(); // by question, those that were changed

const COMPARED = {
  observed: (what) => [
    "Observed counterparts",
    `Voted for alike, except that their votes on the ${what} are as the prediction here.`,
  ],
  predicted: (what) => [
    "Predicted counterparts",
    `Predicted alike, except that their prediction of the ${what} is as the votes here.`,
  ],
  alike: () => ["Predicted alike", "Nobody voted on this galaxy, so that nothing is exchanged."],
};

const ALIKE = { observed: "Voted for alike", predicted: "Predicted alike" };

// --- what is asked for

/** What of this the address holds. */
function weightState() {
  const said = [...weights].map(([question, weight]) => `${encodeURIComponent(question)}:${weight}`);
  return {
    "g-exchanged": byId("exchanged").value === here.label ? null : byId("exchanged").value,
    "g-one": byId("exchange-one").checked ? "1" : null,
    "g-weights": said.join(" ") || null,
  };
}

function comparedAddress(form = null) {
  const query = new URLSearchParams({
    answer: byId("exchanged").value,
    exchange: byId("exchange-one").checked ? "answer" : "question",
    k: EACH,
    ...(form && { RESPONSEFORMAT: form }),
  });
  for (const [question, weight] of weights) query.set(`weight.${question}`, weight);
  return galaxyAddress(here.name, `counterparts?${query}`);
}

/** Weight of a question unless it is changed: of what is exchanged that of the paper. */
function usual(question) {
  const whole = !byId("exchange-one").checked;
  return whole && byId("exchanged").value.startsWith(`${question}_`) ? 5 : 1;
}

function offerWeights() {
  byId("exchanged").replaceChildren(...[...byId("map-answer").children].map((one) => one.cloneNode(true)));
  const sliders = here.questions.map(({ question, reached }) => {
    const input = make("input", { type: "range", min: 0, max: MOST, step: WEIGHT_STEP });
    input.dataset.question = question;
    return make("label", reached ? {} : { class: "pale" }, question, input, make("output"));
  });
  byId("sliders").replaceChildren(...sliders);
  byId("weighing").hidden = !sliders.length;
}

function showWeights() {
  for (const input of byId("sliders").querySelectorAll("input")) {
    const { question } = input.dataset;
    input.value = weights.get(question) ?? usual(question);
    input.nextElementSibling.textContent = input.value;
  }
  byId("counterparts-table").href = comparedAddress("votable");
}

/** Ask for the counterparts that a state names. */
function followWeights(state) {
  const before = byId("counterparts").dataset.address;
  const exchanged = byId("exchanged").value;
  byId("exchanged").value = state["g-exchanged"] ?? here.label ?? "";
  if (byId("exchanged").selectedIndex < 0) byId("exchanged").value = here.label ?? "";
  byId("exchange-one").checked = state["g-one"] === "1";
  weights.clear();
  for (const part of (state["g-weights"] ?? "").split(" ").filter(Boolean)) {
    const [question, weight] = part.split(":");
    const known = here.questions.some((one) => one.question === decodeURIComponent(question));
    const within = Number(weight) >= 0 && Number(weight) <= MOST;
    if (known && within) weights.set(decodeURIComponent(question), Number(weight));
  }
  showWeights();
  if (!here.questions.length || comparedAddress() === before) return;
  byId("counterparts").setAttribute("aria-busy", "true");
  clearTimeout(comparingSoon);
  // later, where it is another answer's: that is also changed to see maps, as fast as they come
  comparingSoon = setTimeout(compare, before && byId("exchanged").value !== exchanged ? SOON : 0);
}

function onWeights(event) {
  const { question } = event.target.dataset;
  if (question) weights.set(question, Number(event.target.value));
  showWeights();
  clearTimeout(weighing);
  weighing = setTimeout(() => writeState(weightState(), "replace"), SOON);
}

// --- what is found

async function compare() {
  comparing.abort();
  comparing = new AbortController();
  const { signal } = comparing;
  const address = comparedAddress();
  const place = byId("counterparts");
  place.dataset.address = address;
  let parts = [];
  let words = [];
  try {
    const { rows, notes } = await fetched(address, { signal });
    const what = byId("exchange-one").checked ? "answer" : "question";
    const kinds = Object.keys(COMPARED).filter((kind) => rows.some((row) => row.counterpart === kind));
    parts = kinds.map((kind) => {
      const [title, sentence] = COMPARED[kind](what);
      const cards = rows
        .filter((row) => row.counterpart === kind)
        .map((row) => card(counterpartOf(row), (name) => linkFromHere(row.iauname, name)));
      const head = [make("h4", {}, title), make("p", { class: "key" }, sentence)];
      return make("section", {}, ...head, make("div", { class: "cards" }, ...cards));
    });
    words = notes;
  } catch (error) {
    if (error.name === "AbortError") return;
    words = [error.message];
  }
  place.removeAttribute("aria-busy");
  place.replaceChildren(...parts);
  blankWhereMissing(place);
  byId("counterparts-notes").replaceChildren(...words.map((one) => make("p", {}, one)));
}

/** A row of the answer, as a card of the gallery has it. */
function counterpartOf({ iauname, votes: total, observed, predicted, asked, close, off }) {
  return {
    role: null,
    shown: iauname,
    image: about.images ? galaxyAddress(iauname, "image.png") : null,
    missing: NO_IMAGE,
    count: total === null || observed === null ? 0 : observed * total,
    ...{ total, observed, predicted, asked },
    lo: null,
    close: close === null ? null : close ? "close" : `off by ${fraction(off)}`,
  };
}

/** In place of images that cannot be had, a field that says so. */
function blankWhereMissing(within) {
  for (const image of within.querySelectorAll("img")) {
    image.addEventListener("error", () => {
      image.replaceWith(make("p", { class: "blank" }, NO_IMAGE));
    });
  }
}

async function showSimilar() {
  const { signal } = staying;
  const place = byId("similar-galaxies");
  place.replaceChildren();
  let words = "";
  try {
    const found = await fetched(galaxyAddress(here.name, `similar?k=${SIMILAR}`), { signal });
    for (const kind of new Set(found.rows.map(({ alike }) => alike))) {
      const own = found.rows.filter(({ alike }) => alike === kind).map(similarOne);
      place.append(make("h4", {}, ALIKE[kind]), make("ul", { class: "thumbnails" }, ...own));
    }
    blankWhereMissing(place);
    words = found.notes.join(" ");
  } catch (error) {
    if (error.name === "AbortError") return;
    words = error.message;
  }
  byId("similar-words").textContent = words;
}

function similarOne({ iauname, score }) {
  const image = about.images
    ? make("img", {
        src: galaxyAddress(iauname, "image.png"),
        alt: "",
        ...{ loading: "lazy", width: 96, height: 96 },
      })
    : make("p", { class: "blank" }, NO_IMAGE);
  const close = make("span", { class: "soft" }, `${amount(score)} nat`);
  return make("li", {}, linkFromHere(iauname, image, nameOf(iauname)), close);
}

function leaveCompared() {
  clearTimeout(weighing);
  clearTimeout(comparingSoon);
  comparing.abort();
  weights.clear();
  delete byId("counterparts").dataset.address;
  byId("counterparts").replaceChildren();
  byId("counterparts-notes").textContent = "";
}

byId("weighing").addEventListener("input", onWeights);
byId("weighing").addEventListener("submit", (event) => event.preventDefault());
byId("weighing").addEventListener("reset", () => {
  weights.clear();
  setTimeout(() => writeState({ "g-exchanged": null, "g-one": null, "g-weights": null }, "replace"));
});
