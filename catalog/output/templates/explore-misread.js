"use strict";
// What of an address cannot be understood, so that it is said and not silently left out.
// Uses explore-query.js and explore-ranking.js.

const PLAIN = ["view", "sort", "columns", "page", "votes", "name", "answer", "where", "circle", "zoom", "galaxy"];

/** Why a slider's key or value is none; null if it is one. */
function sliderTrouble(key, value) {
  const [kind, name] = key.split(/\.(.*)/s);
  const isRange = kind === "o" || kind === "p";
  const known = about.questions.some((one) =>
    isRange ? one.answers.some(({ label }) => label === name) : one.name === name);
  if (!known) return isRange ? "there is no such answer" : "there is no such question";
  if (isRange) return rangeOf(value) ? null : "a range is like 0.3~1";
  if (!isNumber(value)) return "it is no number";
  return kind === "r" && Number(value) > 1 ? "a reach is 0 to 1" : null;
}

/** By key of the state, why a value is none; without those that are well. */
function troubles(state) {
  const view = viewOf(state);
  const no = `${view.name} has no such column`;
  const checks = {
    view: (value) => value !== view.name && `there is no such view, so ${view.name} is shown`,
    sort: (value) => !has(view, value.replace(/^-/, "")) && no,
    columns: (value) => value.split(",").some((name) => !has(view, name)) && no,
    page: (value) => !(/^\d+$/.test(value) && Number(value) >= 1) && "pages are 1, 2, 3",
    votes: (value) => !isNumber(value) && "it is no number",
    answer: (value) => !wantedAnswer({ answer: value }) && "there is no such answer",
    circle: (value) =>
      (!about.positions && "there are no positions here") ||
      (!circleOf(value) && "a circle is RA,Dec,radius in degrees"),
  };
  const found = {};
  for (const [key, value] of Object.entries(state)) {
    if (/^[oprn]\./.test(key)) found[key] = sliderTrouble(key, value);
    else if (PLAIN.includes(key)) found[key] = checks[key]?.(value);
    else if (!key.startsWith("g-")) found[key] = "nothing is called so";
  }
  return Object.fromEntries(Object.entries(found).filter(([, words]) => words));
}

/** Say what of the address was not understood. */
function showMisread(state) {
  const found = Object.entries(troubles(state));
  const parts = found.map(([key, words]) => `${key}=${state[key]} (${words})`);
  byId("misread").textContent = parts.length ? `Not understood in the address: ${parts.join("; ")}.` : "";
  byId("misread").hidden = !parts.length;
}
