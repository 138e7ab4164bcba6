"use strict";
// One galaxy: what it looks like, what volunteers and model say of it, and which are like it.
// Uses page-parts.js and explore-state.js; the gallery's gallery-detail.js for image, maps and
// votes; explore-maps.js, explore-compared.js and explore-samp.js for what belongs to each.

let here = null; // the galaxy that is shown, as gallery-detail.js has it, and `about` it
let staying = new AbortController(); // aborted when another galaxy is shown
const LONGEST_TRAIL = 8; // galaxies
const LEAST_OUTSIDE = 0.01; // votes: less is rounding
const LEAST_REACH = 0.05; // below it, a question that has no votes counts as not reached

const galaxyAddress = (name, rest) => `galaxies/${encodeURIComponent(name)}/${rest}`;
const KEPT = ["g-show", "g-of", "g-run", "g-one"]; // of the state, from galaxy to galaxy

// --- from galaxy to galaxy

/** The galaxies by way of which a link led here; none if the address leads on from there. */
function trailOf(state) {
  const names = (state["g-via"] ?? "").split(" ").filter(Boolean).map(decodeURIComponent);
  return names.at(-1) === state.galaxy ? names.slice(0, -1) : [];
}

/** The address of a galaxy's view, and by way of which galaxies one comes there. */
function galaxyLink(name, via) {
  const state = readState();
  const own = Object.keys(state).filter((key) => key.startsWith("g-") && !KEPT.includes(key));
  const change = Object.fromEntries(own.map((key) => [key, null]));
  const trail = via.length ? [...via, name].slice(-LONGEST_TRAIL).map(encodeURIComponent).join(" ") : null;
  return stateLink({ ...change, galaxy: name, "g-via": trail });
}

/** A link to a galaxy that is like the one that is shown. */
function linkFromHere(name, ...children) {
  const trail = trailOf(readState()).filter((one) => one !== name);
  return make("a", { class: "link", href: galaxyLink(name, [...trail, here.name]) }, ...children);
}

function showTrail() {
  const trail = trailOf(readState());
  const steps = trail.map((name, n) =>
    make("li", {}, make("a", { href: galaxyLink(name, trail.slice(0, n)) }, nameOf(name))),
  );
  const last = make("li", { "aria-current": "page" }, nameOf(here.name));
  byId("trail").firstElementChild.replaceChildren(...steps, last);
  byId("trail").hidden = !trail.length;
}

// --- showing and leaving

/** Show a galaxy in the page's section; the same one again as the state has it. */
async function showGalaxy(name) {
  byId("galaxy").hidden = false;
  if (here?.name === name) return followState();
  leaveGalaxy();
  staying = new AbortController();
  const { signal } = staying;
  here = { name, shown: name, questions: [], image: null, map: null, outline: null, missing: "" };
  byId("heading").replaceChildren(nameOf(name));
  byId("galaxy").setAttribute("aria-busy", "true");
  if (!byId("turn").contains(document.activeElement)) byId("heading").focus();
  byId("summary").textContent = "";
  byId("loading").textContent = "Loading…";
  showTrail();
  const [told] = await Promise.allSettled(
    about.products
      ? [fetched(galaxyAddress(name, "votes.json"), { signal }), mapSet("", "fraction").ready]
      : [releasedGalaxy(name, signal)],
  );
  if (signal.aborted) return;
  byId("loading").textContent = "";
  byId("galaxy").removeAttribute("aria-busy");
  const trouble = told.reason?.message ?? "";
  byId("galaxy").classList.toggle("unknown", trouble !== "");
  byId("galaxy-trouble").hidden = trouble === "";
  byId("galaxy-trouble").textContent = trouble;
  if (!trouble) showAll(told.value);
}

function showAll(told) {
  takeVotes(told);
  byId("galaxy").classList.toggle("released", !about.products);
  byId("released").hidden = about.products;
  if (!about.products) return showReleased();
  takeMaps();
  takeImage();
  offerMaps();
  offerLinks();
  offerWeights();
  followState();
  showSimilar();
  keepState();
}

/** Show a galaxy of which there are no images, maps or neighbours, but rows. */
function showReleased() {
  Object.assign(here, { runs: [], mapped: false, unmapped: "" });
  offerMaps();
  followState();
}

function leaveGalaxy() {
  staying.abort();
  leaveMaps();
  leaveCompared();
  here = null;
}

function hideGalaxy() {
  leaveGalaxy();
  byId("galaxy").hidden = true;
}

/** Show what the state says of this galaxy. */
function followState() {
  if (!here?.told) return; // it is not there yet, or there is none
  showTrail();
  followMaps(readState());
  if (about.products) followWeights(readState());
}

/** Let the address say what is shown as it was at the galaxy before. */
function keepState() {
  writeState({ ...mapState() }, "replace");
}

// --- votes against prediction

function takeVotes(told) {
  here.told = told;
  here.questions = told.questions.map(questionRows);
  const lacking = [
    told.questions.every(({ votes }) => votes === null) && "Nobody voted on it.",
    told.predict_run === null && "No predictions were made.",
    told.predict_run !== null && told.questions.every(({ reach }) => reach === null) && "It has no prediction.",
    told.score_run === null && "Nothing was scored.",
  ];
  byId("no-facts").textContent = lacking.filter(Boolean).join(" ");
}

/** A question with its answers, as gallery-detail.js has it. */
function questionRows({ question, votes: total, reach, answers }) {
  const voted = answers.reduce((sum, one) => sum + (one.count ?? 0), 0);
  const outside = (total ?? 0) - voted;
  const reached = total > 0 || (total === null && reach !== null && reach >= LEAST_REACH);
  return {
    question,
    total: total ?? 0,
    outside: outside > LEAST_OUTSIDE ? outside : 0,
    reach,
    reached,
    words: questionWords(total, reach),
    answers: answers.map((one) => [
      one.answer,
      one.count,
      one.observed,
      one.predicted,
      one.lo,
      one.hi,
      one.loss,
    ]),
  };
}

function questionWords(total, reach) {
  const asked =
    total === null
      ? "no votes"
      : total >= 0.5
        ? `${votes(total)} asked`
        : total > 0
          ? "less than one asked" // where votes are weighted
          : "not reached: nobody was asked";
  return reach === null ? asked : `${asked}; predicted reach ${percent(reach)}`;
}

function percent(share) {
  return share > 0 && share < 0.01 ? "less than 1 %" : `${Math.round(100 * share)} %`;
}

/** All answers of the galaxy, with what is known of each. */
function answersHere() {
  return here.questions.flatMap(({ question, total, answers }) =>
    answers.map(([answer, count, observed, predicted, lo, hi, ce]) => ({
      label: `${question}_${answer}`,
      ...{ question, answer, total, count, observed, predicted, lo, hi, ce },
    })),
  );
}

/** The sentence on the answer that is chosen. */
function summaryHere() {
  if (!here.answer) return "";
  if (here.predicted === null && !here.total) return "It has neither votes nor a prediction.";
  if (!here.total) {
    const range = here.lo === null ? "" : ` (90 % interval ${interval(here)})`;
    return (
      `Nobody was asked ${here.question}; “${here.answer}” is predicted at ` +
      `${fraction(here.predicted)}${range}.`
    );
  }
  const cost = here.ce === null ? "" : ` Loss ${nats(here.ce)} nat.`;
  const said = verdict(here) + cost;
  return said[0].toUpperCase() + said.slice(1);
}

// --- image and links

function takeImage() {
  const { image } = here.told;
  here.image = image ? galaxyAddress(here.name, "image.png") : null;
  here.missing = "No image of this galaxy was ingested.";
  here.outline = image ? galaxyAddress(here.name, "outline.png") : null;
}

function link(address, text, elsewhere = false) {
  const attributes = elsewhere ? { rel: "noreferrer", target: "_blank" } : {};
  return make("li", {}, make("a", { href: address, ...attributes }, text));
}

function offerLinks() {
  const { name } = here;
  const { ra, dec, image } = here.told;
  const at = ra !== null && dec !== null;
  const links = [];
  if (here.image) links.push(link(galaxyAddress(name, "image"), "Image as it was ingested"));
  if (here.mapped) links.push(link(galaxyAddress(name, "maps.fits"), "Maps (FITS cube)"));
  links.push(link(`datalink/links?ID=${encodeURIComponent(name)}`, "DataLink"));
  links.push(make("li", {}, make("a", { id: "counterparts-table", href: "#" }, "Counterparts (VOTable)")));
  if (at) {
    const target = encodeURIComponent(`${ra} ${dec}`);
    const lite = `https://aladin.cds.unistra.fr/AladinLite/?target=${target}&fov=0.03`;
    links.push(link(lite, `Aladin Lite at ${place(ra, dec)}`, true));
  } else links.push(make("li", { class: "soft" }, "No position is known."));
  byId("links").replaceChildren(...links);
  offerSamp(at, image === "FITS");
}

const place = (ra, dec) => `${ra.toFixed(5)}, ${(dec < 0 ? MINUS : "+") + Math.abs(dec).toFixed(5)}°`;

function offerSamp(at, isFits) {
  const { name, told } = here;
  const say = (sentence) => (byId("samp-said").textContent = sentence);
  const offered = [
    ["Counterparts", () => sendTable(comparedAddress("votable"), `Counterparts of ${name}`, say)],
    here.image && isFits && ["Image", () => sendImage(galaxyAddress(name, "image"), name, say)],
    here.mapped && ["Maps", () => sendImage(galaxyAddress(name, "maps.fits"), `Maps of ${name}`, say)],
    at && ["Position", () => sendPosition(told.ra, told.dec, say)],
  ];
  const buttons = offered.filter(Boolean).map(([text, act]) => {
    const button = make("button", { type: "button" }, text);
    button.addEventListener("click", act);
    return button;
  });
  byId("samp-buttons").replaceChildren(...buttons);
  say("");
}

// --- keyboard

const GALAXY_KEYS = {
  1: () => chooseMode("image"),
  2: () => chooseMode("increase"),
  3: () => chooseMode("decrease"),
  4: () => chooseMode("both"),
  o: toggleOutline,
};

addEventListener("state", followState);
addEventListener("keydown", (event) => {
  if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, select, textarea")) return;
  GALAXY_KEYS[event.key]?.();
});
