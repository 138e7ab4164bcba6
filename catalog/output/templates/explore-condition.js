"use strict";
// The condition of one's own: as it stands in a query, and its mistakes at their place in it.
// Uses explore-query.js.

/** The free condition as it stands in a query, on lines of its own. */
const freeText = (free) => `(\n${free.trim()}\n)`;

const PARTS = /--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|[a-z_]\w*|[^]/gi;
const NO_PARTS = {
  WHERE: "leave WHERE out: this is what stands after it",
  ORDER: "a condition has no ORDER BY: the headers of columns sort",
  ...Object.fromEntries(
    ["GROUP", "HAVING", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "SELECT", "FROM"].map(
      (word) => [word, `a condition has no ${word}, but in parentheses`],
    ),
  ),
};

/** Throws `Refused` for words on a place in the condition. */
function refuse(text, at, words) {
  const lines = text.slice(0, at).split("\n");
  const error = new Refused(words, 400);
  error.within = { line: lines.length, column: lines.at(-1).length + 1 };
  throw error;
}

/** Throws `Refused` for what would end the condition before its end, or not let it end: before it is asked. */
function checkCondition(free = "") {
  const text = free.trim();
  const open = [];
  const wrong = (at, words) => refuse(text, at, words);
  for (const { 0: part, index } of text.matchAll(PARTS)) {
    if (part === "'" || part === '"') wrong(index, `this ${part} is not closed`);
    if (part === ";") wrong(index, "a condition has no ; (one condition is asked at a time)");
    if (part === "(") open.push(index);
    if (part === ")" && open.pop() === undefined) wrong(index, "this ) closes nothing");
    const words = open.length ? undefined : NO_PARTS[part.toUpperCase()];
    if (words) wrong(index, words);
  }
  if (open.length) wrong(open.at(-1), "this ( is not closed");
}

/** Where in the free condition an error of a query is; null if elsewhere. at, result: from 1. */
function placeInWhere(adql, free, at) {
  const place = Math.max(adql.lastIndexOf(freeText(free)), adql.lastIndexOf(freeText(placesIn(free)?.rest ?? free)));
  const before = adql.slice(0, place + 1).split("\n");
  const line = at.line - before.length;
  const lines = free.trim().split("\n");
  if (line === lines.length + 1) return { line: lines.length, column: lines.at(-1).length + 1, atEnd: true };
  return line < 1 || lines[line - 1] === undefined ? null : { line, column: at.column };
}

/** The words of a server's error, without a place in the whole query or a parenthesis that nobody typed. */
function wordsOf(error, at) {
  const words = error.message.replace(/^line \d+, column \d+: /, "");
  if (!at?.atEnd) return words.replace(/^expecting \), at (.*)$/s, "$1 was not expected here");
  const missing = words.replace(/ after '\)'$/, "").replace(/^'\)' was not expected here$/, "something is missing");
  return missing.replace(/, at '\)'$/, "");
}

/** Show what is wrong, at its place in the condition if it is there. */
function showWhereError(error, state, adql) {
  const free = state.where ?? "";
  const at = error?.within ?? (error?.at && free ? placeInWhere(adql, free, error.at) : null);
  const said = byId("where-error");
  said.replaceChildren();
  said.hidden = !error?.status || !free;
  byId("where").setAttribute("aria-invalid", String(!said.hidden));
  if (said.hidden) return;
  const words = wordsOf(error, at);
  const place = at?.atEnd ? "At the end: " : at ? `Line ${at.line}, column ${at.column}: ` : "";
  said.append(make("span", {}, at ? place + words : error.message));
  if (!at) return;
  const line = free.trim().split("\n")[at.line - 1];
  const begin = Math.max(0, at.column - 30);
  const mark = `${line.slice(begin, begin + 60)}\n${" ".repeat(at.column - 1 - begin)}^`;
  said.append(make("pre", { "aria-hidden": "true" }, mark));
}
