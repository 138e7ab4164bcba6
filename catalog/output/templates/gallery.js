"use strict";
// Selecting by pointer, keyboard and address. Uses gallery-detail.js and gallery-list.js.

const narrow = matchMedia("(max-width: 70rem), (max-height: 32rem)"); // as in gallery.css
const PREFIX = "#galaxy=";
const PAGE = 10; // rows
let selected = 0;
let entered = false; // whether the way back to the list is a step in the history
let writing = 0; // timer of what the address will say

// --- selecting

/** One row can be reached with Tab: the selected one, or the first where that is hidden. */
function focusable() {
  const stop = rows[selected].hidden ? order.find((place) => !rows[place].hidden) : selected;
  rows.forEach((row, place) => row.setAttribute("tabindex", place === stop ? 0 : -1));
}

function refilter() {
  filter();
  focusable();
}

function address(place) {
  return PREFIX + encodeURIComponent(galaxies[place].name);
}

/** Show a galaxy. how: `push` for a step in the history, `replace`, or `none`. */
function select(place, how = "push") {
  rows[selected].removeAttribute("aria-current");
  selected = place;
  rows[place].setAttribute("aria-current", "true");
  rows[place].scrollIntoView({ block: "nearest" });
  focusable();
  showDetail(galaxies[place], place + 1, open);
  clearTimeout(writing);
  if (how === "push" && location.hash !== address(place)) location.hash = address(place);
  // later, for browsers refuse addresses that change as fast as a held key repeats; and not
  // for a narrow list, where a step back would come upon a detail
  if (how === "replace" && (reading() || !narrow.matches)) {
    writing = setTimeout(() => history.replaceState(null, "", address(place)), 200);
  }
}

/** Select a galaxy; on a narrow page its detail takes the list's place. */
function open(place) {
  entered ||= !reading() && location.hash !== address(place);
  select(place);
  document.body.classList.add("reading");
  if (narrow.matches) toDetail();
}

function toDetail() {
  if (narrow.matches) scrollTo(0, 0);
  byId("heading").focus();
}

function reading() {
  return document.body.classList.contains("reading");
}

function close() {
  document.body.classList.remove("reading");
  rows[selected].focus();
}

function leave() {
  clearTimeout(writing);
  if (entered && narrow.matches) {
    entered = false;
    history.back();
  } else if (narrow.matches) history.replaceState(null, "", "#");
  close();
}

/** The next galaxy of the list, or the one before; the focus stays in the list if it is there. */
function step(by) {
  const visible = order.filter((place) => !rows[place].hidden);
  if (!visible.length) return;
  const now = visible.indexOf(selected);
  const next = now < 0 ? 0 : Math.min(Math.max(now + by, 0), visible.length - 1);
  select(visible[next], "replace");
  if (!byId("detail").contains(document.activeElement)) rows[visible[next]].focus();
}

/** Follow the address: a shared link, or a step back. */
function follow() {
  if (!location.hash.startsWith(PREFIX)) {
    if (reading()) close();
    return;
  }
  let name = location.hash.slice(PREFIX.length);
  try {
    name = decodeURIComponent(name);
  } catch {
    // a link cut short in the middle of a character: no galaxy is called so
  }
  const place = galaxies.findIndex((galaxy) => galaxy.name === name);
  if (place < 0) byId("count").textContent = "The galaxy of this link is not on this page";
  else if (place !== selected || !reading()) {
    select(place, "none");
    document.body.classList.add("reading");
    if (narrow.matches) scrollTo(0, 0);
  }
}

// --- keyboard

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  1: () => setMode("image"),
  2: () => setMode("increase"),
  3: () => setMode("decrease"),
  4: () => setMode("both"),
  o: toggleOutline,
  "/": () => byId("search").focus(),
  Escape: leave,
};
const IN_LIST = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  PageDown: () => step(PAGE),
  PageUp: () => step(-PAGE),
  Home: () => step(-galaxies.length),
  End: () => step(galaxies.length),
};

function enter(row) {
  open(rows.indexOf(row));
  toDetail();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const row = event.target.closest("tbody tr");
  const inList = row && byId("list").contains(row);
  let action = KEYS[event.key];
  if (inList || (event.target === document.body && !narrow.matches)) action ??= IN_LIST[event.key];
  if (inList && event.target === row && event.key === "Enter") action = () => enter(row);
  if (!action) return;
  event.preventDefault();
  action();
}

// --- beginning

function begin() {
  document.documentElement.classList.add("live");
  rows.forEach((row, place) => {
    const link = row.querySelector("a");
    link.href = address(place);
    link.tabIndex = -1;
    row.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a link opens elsewhere
      event.preventDefault();
      row.focus({ preventScroll: true });
      open(place);
    });
  });
  for (const button of document.querySelectorAll("[data-key]")) {
    button.addEventListener("click", () => onHeader(button));
  }
  for (const button of document.querySelectorAll("[data-mode]")) {
    button.addEventListener("click", () => setMode(button.dataset.mode));
  }
  byId("outline").addEventListener("click", toggleOutline);
  byId("back").addEventListener("click", leave);
  byId("before").addEventListener("click", () => step(-1));
  byId("after").addEventListener("click", () => step(1));
  byId("controls").addEventListener("input", refilter);
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("controls").addEventListener("reset", () => setTimeout(refilter));
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", follow);
  refilter(); // a browser may have kept what was typed before a reload
  select(0, "none");
  follow();
}

if (galaxies.length) begin();
