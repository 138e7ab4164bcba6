"use strict";
// The page to explore: asks for what the state says, shows it, and follows when it changes.
// Uses all other scripts of the page.

let asking = null; // what is asked now, to be given up when something else is
let answered = ""; // the query of the rows that are shown
let total = null; // rows in all, of the query below
let counted = "";
const AGAIN = 3000; // ms until a server that did not answer is asked again
const LOOK = 60_000; // ms between two looks at whether a newer catalogue is served
let again = 0; // its timer
let toRowsSoon = false; // whether the focus goes to the rows when they are there
let renewing = false; // whether a newer catalogue is taken in
let opened = ""; // the galaxy that is shown

// --- the list

/** Ask for the rows that the state wants, unless they are shown. */
async function showList(state) {
  const view = viewOf(state);
  showFields(state, view);
  showColumns(state, view);
  showCircle(state);
  showMisread(state);
  const adql = rowsQuery(state, view, isCharted(view) ? NEEDED : []);
  const count = countQuery(state, view);
  if (count !== counted) total = null;
  showBehind(state, view, total);
  asking?.abort();
  const own = (asking = new AbortController());
  holdThumbnails();
  try {
    checkCondition(state.where);
    if (isRanked(state, view)) checkPlaces(state.where);
    if (adql !== answered) await showPage(state, view, adql, own.signal);
    if (total === null) await showTotal(state, view, count, own.signal);
    await showSky(state, view, total, own.signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Refused)) throw error;
    showError(error, state, adql);
  } finally {
    if (own === asking) {
      byId("list").setAttribute("aria-busy", "false");
      if (!opened) letThumbnails();
    }
  }
}

async function showPage(state, view, adql, signal) {
  byId("list").setAttribute("aria-busy", "true");
  const rows = await ask(adql, { rows: PAGE, signal });
  answered = adql;
  showError(null, state, adql);
  giveRanks(state, view, rows);
  showRows(state, view, rows);
  showCount(state, view, rows.length, total);
  byId("list").setAttribute("aria-busy", "false");
  if (toRowsSoon) goToRows();
}

async function showTotal(state, view, count, signal) {
  const found = await askTotal(count, { signal });
  [total, counted] = [found.total, count];
  showBehind(state, view, total);
  showCount(state, view, shownRows.length, total);
  showTold(found.warnings);
}

/** What is outdated, or may not be compared, of what is shown. */
function showTold(told) {
  byId("told").replaceChildren(...told.map((words) => make("p", {}, words)));
  byId("told").hidden = !told.length;
}

/** Say why there are no rows: at the condition that is wrong, if one is, and in their place. */
function showError(error, state, adql) {
  showWhereError(error, state, adql);
  byId("error").hidden = !error;
  byId("table-part").hidden = Boolean(error);
  clearTimeout(again);
  if (!error) return;
  if (error.status === 0) again = setTimeout(follow, AGAIN);
  answered = "";
  byId("count").textContent = "";
  byId("error").textContent = byId("where-error").hidden
    ? error.message
    : `Nothing is shown, since the condition is wrong: ${byId("where-error").firstChild.textContent}`;
}

// --- a galaxy

function showOne(name) {
  const isOpen = name !== "";
  document.body.classList.toggle("reading", isOpen);
  byId("galaxy").hidden = byId("turn").hidden = !isOpen;
  byId("list-pane").hidden = isOpen;
  document.title = isOpen ? `${name} · ${about.catalogue}` : `${about.catalogue} · Zoolens`;
  const place = shownRows.indexOf(name);
  byId("before").disabled = stepFrom(place, -1) === null;
  byId("after").disabled = stepFrom(place, 1) === null;
  if (name === opened) return;
  const before = opened;
  opened = name;
  if (isOpen) {
    scrollTo(0, 0);
    showGalaxy(name, byId("galaxy"));
  } else {
    hideGalaxy();
    rowLink(before)?.focus();
  }
}

/** The next galaxy of the page of rows, or the one before, that is another; null for none. */
function stepFrom(place, by) {
  if (place < 0) return null;
  let next = place + by;
  while (shownRows[next] === shownRows[place]) next += by;
  return shownRows[next] ?? null;
}

function step(by) {
  const next = stepFrom(shownRows.indexOf(opened), by);
  if (next !== null) writeState({ galaxy: next }, "replace");
}

function leave() {
  if (!opened) return;
  const own = Object.keys(readState()).filter((key) => key.startsWith("g-"));
  writeState(Object.fromEntries([...own, "galaxy"].map((key) => [key, null])));
}

// --- keyboard

const rowLinks = () => [...byId("rows").querySelectorAll("th a")];
const rowLink = (name) => rowLinks()[shownRows.filter((one) => one !== null).indexOf(name)];

function move(by) {
  if (opened) return step(by);
  const links = rowLinks();
  const now = links.indexOf(document.activeElement);
  links[now < 0 ? 0 : Math.min(Math.max(now + by, 0), links.length - 1)]?.focus();
}

/** Give the focus to the first row: at once, or of those that are asked for. */
function toRows() {
  toRowsSoon = true;
  setTimeout(() => {
    if (byId("list").getAttribute("aria-busy") === "false") goToRows();
  });
}

function goToRows() {
  toRowsSoon = false;
  rowLinks()[0]?.focus();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  "/": () => byId("name").focus(),
  Escape: leave,
};
const IN_ROWS = { ArrowDown: () => move(1), ArrowUp: () => move(-1) };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const field = event.target.closest("input, select, textarea"); // which has keys of its own
  if (field && !(field.type === "range" && event.key === "Escape")) return;
  const action = KEYS[event.key] ?? (event.target.closest("#rows") ? IN_ROWS[event.key] : null);
  if (!action) return;
  event.preventDefault();
  action();
}

// --- beginning

function showAbout() {
  const number = about.galaxies.toLocaleString("en");
  byId("title").textContent = about.catalogue;
  const isSurvey = has(viewOf({ view: "galaxies" }), "piece"); // whose pieces have runs of their own
  const runs = (isSurvey ? [] : ["predict", "score", "explain"]).flatMap((job) => {
    const found = about.runs.filter((one) => one.job === job).at(-1);
    return found ? [`${job} run ${found.run}`] : [];
  });
  const galaxies = `${number} ${about.galaxies === 1 ? "galaxy" : "galaxies"}`;
  byId("lead").textContent = [galaxies, ...runs, `as of ${about.as_of}`].join(" · ");
  about.filled = Object.fromEntries(about.views.map((one) => [one.name, one.filled]));
  byId("missing").textContent = missing();
  byId("missing").hidden = !byId("missing").textContent;
  showTold(about.told);
  byId("tap-address").textContent = new URL("tap", location.href.replace(/[#?].*/s, "")).href;
}

/** What this catalogue has not, in a sentence each, with what makes it. */
function missing() {
  const { votes, predictions, worst, losses } = about.filled;
  if (!about.galaxies) return "There are no galaxies yet: zoolens ingest.";
  const said = [
    !votes && "Nobody voted on these galaxies, so there are no losses: the predictions are shown.",
    !predictions && "There are no predictions of votes yet (zoolens predict).",
    votes && predictions && !worst && !losses && "Votes and predictions are not compared yet (zoolens score).",
    !about.products && "This is a release: tables, without images and maps.",
    about.products && !about.images && "There are no images.",
  ];
  return said.filter(Boolean).join(" ");
}

/** Take in that a newer catalogue is served: what it holds, and its rows. */
async function renew() {
  if (renewing) return;
  renewing = true;
  try {
    about = await fetched("page/about.json");
  } catch (error) {
    if (error instanceof Refused) return; // the next answer says so again
    throw error;
  } finally {
    renewing = false;
  }
  showAbout();
  fillViews();
  answered = counted = sky.query = "";
  sayNewer();
  follow();
}

/** Say that a newer catalogue is served; a galaxy that is being read stays until its reader wants it anew. */
function sayNewer() {
  const anew = make("button", { type: "button", class: "link" }, "Show this galaxy anew");
  anew.addEventListener("click", () => {
    leaveGalaxy();
    opened = "";
    follow();
    anew.remove();
  });
  const also = opened ? [" ", anew] : [];
  byId("newer").replaceChildren(`A newer catalogue is served, as of ${about.as_of}.`, ...also);
}

/** Ask whether a newer catalogue is served, if somebody looks at the page: the answer's head says so. */
async function lookForNewer() {
  if (document.hidden) return;
  try {
    await answerOf("page/about.json", { method: "HEAD" });
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // it is asked again
  }
}

function follow() {
  const state = readState();
  showOne(state.galaxy ?? "");
  showList(state).then(() => showOne(readState().galaxy ?? ""));
}

async function begin() {
  try {
    about = await fetched("page/about.json");
  } catch (error) {
    byId("lead").textContent = error.message;
    setTimeout(begin, AGAIN);
    return;
  }
  showAbout();
  byId("filters").open = !matchMedia("(max-width: 70rem), (max-height: 32rem)").matches; // as in explore.css
  beginFilters();
  beginBehind();
  beginSky();
  beginWide();
  byId("columns").addEventListener("change", onColumns);
  const turn = (by) => writeState({ page: String(offsetOf(readState()) / PAGE + 1 + by) });
  byId("page-before").addEventListener("click", () => turn(-1));
  byId("page-after").addEventListener("click", () => turn(1));
  byId("back").addEventListener("click", leave);
  byId("before").addEventListener("click", () => step(-1));
  byId("after").addEventListener("click", () => step(1));
  document.addEventListener("keydown", onKey);
  addEventListener("state", follow);
  addEventListener("newer", renew);
  document.addEventListener("visibilitychange", lookForNewer);
  setInterval(lookForNewer, LOOK);
  follow();
}

begin();
