"use strict";
// The state of the page, which its address holds; what the page is told of the catalogue; and how
// the server is asked. Uses page-parts.js (elements, numbers, the chart).
//
// What the scripts of this page share, beside page-parts.js:
//
//   about                 /page/about.json, before anything is shown (catalog/serve/page/about.py);
//                         event "newer" of window: an answer came of a newer catalogue
//   readState()           the state, an object of strings: {view, sort, galaxy, ...}
//   writeState(change, how)  change some of it, null for to forget; how: "push" for a step in the
//                         history, "replace" for none. Whoever shows the state listens to the
//                         event "state" of window, which also comes with back and forward
//   stateLink(change)     the address of the state as it would be, for a link that can be opened
//                         elsewhere; a plain click on it comes as the same event
//   ask(adql, {rows, signal})  the rows of an answer, as objects; throws Refused with a sentence
//   fetched(path, {signal})    the JSON of another address of the server, with the same errors
//   copyButton(text)      a button that copies what the function `text` gives
//
// explore-galaxy.js has showGalaxy(name, section) and hideGalaxy(): called whenever the state has
// come to name a galaxy, or another one, and when it names none any more. What of its own state
// should be in the address has names that begin with "g-": it reads and writes them itself and
// listens to "state"; they are forgotten when the galaxy is left. Above the section stand, from
// here, "Back to the list", "Previous" and "Next"; the section begins with its heading, an h2
// with tabindex -1, which is given the focus.

let about = null;

/** What the server says is wrong, as a sentence; at: line and column in the query, from 1. */
class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
    const place = /^line (\d+), column (\d+): /.exec(message);
    this.at = place && { line: Number(place[1]), column: Number(place[2]) };
  }
}

// --- the state

function readState() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

function stateLink(change) {
  const state = { ...readState(), ...change };
  const kept = Object.entries(state).filter(([, value]) => value !== null && value !== "");
  return "#" + new URLSearchParams(kept);
}

function writeState(change, how = "push") {
  const link = stateLink(change);
  if (link === (location.hash || "#")) return;
  if (how === "push") history.pushState(null, "", link);
  else history.replaceState(null, "", link);
  dispatchEvent(new Event("state"));
}

// a link, what a person typed, back and forward
addEventListener("popstate", () => dispatchEvent(new Event("state")));

// --- asking

async function answerOf(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer. Is it still running?", 0);
  }
  const asOf = answer.headers.get("Zoolens-As-Of");
  if (about && asOf && asOf !== about.version) dispatchEvent(new Event("newer"));
  if (!answer.ok) throw new Refused(await reason(answer), answer.status);
  return answer;
}

/** The sentence of an error: the text of a VOTable that says so, or the body. */
async function reason(answer) {
  const text = await answer.text();
  if (!/xml/.test(answer.headers.get("content-type"))) {
    return text.trim() || `The server answered ${answer.status}.`;
  }
  const document = new DOMParser().parseFromString(text, "text/xml");
  return document.querySelector('INFO[name="QUERY_STATUS"][value="ERROR"]').textContent;
}

async function fetched(path, { signal } = {}) {
  return (await answerOf(path, { signal })).json();
}

function asked(adql, form, rows) {
  return new URLSearchParams({ LANG: "ADQL", RESPONSEFORMAT: form, MAXREC: rows, QUERY: adql });
}

async function ask(adql, { rows = 100_000, signal } = {}) {
  const body = asked(adql, "json", rows);
  const answer = await answerOf("tap/sync", { method: "POST", body, signal });
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The answer broke off; the server's limits may be too narrow for it.", 500);
  }
}

/** The one number that a query counts, and what the server warns of in what it reads. */
async function askTotal(adql, { signal } = {}) {
  const body = asked(adql, "votable/td", 1);
  const answer = await answerOf("tap/sync", { method: "POST", body, signal });
  const document = new DOMParser().parseFromString(await answer.text(), "text/xml");
  const warnings = [...document.querySelectorAll('INFO[name^="WARNING_"]')];
  return {
    total: Number(document.querySelector("TD").textContent),
    warnings: warnings.map((one) => one.getAttribute("value")),
  };
}

// --- what both parts have

function copyButton(text) {
  const button = make("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy it"; // a browser that does not let a page
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}
