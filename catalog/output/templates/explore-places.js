"use strict";
// Places in the ranked list, in the condition of one's own: ADQL cannot number rows, but ask for
// those from one place to another. Uses explore-condition.js.

const PLACE = /^(?:worst\.)?"?rank"?$/i;
const TURNED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=" };
const BOUNDS = { "<": (n) => [1, n - 1], "<=": (n) => [1, n], ">": (n) => [n + 1, Infinity], ">=": (n) => [n, Infinity], "=": (n) => [n, n] };

/** The parts of a condition that all have to hold, as [begin, end] in it; one where OR divides it. */
function conjuncts(text) {
  const found = [];
  let [begin, depth, between] = [0, 0, false];
  for (const { 0: part, index } of text.matchAll(PARTS)) {
    const word = part.toUpperCase();
    if (part === "(") depth += 1;
    if (part === ")") depth -= 1;
    if (depth) continue;
    if (word === "OR") return [[0, text.length]];
    if (word === "BETWEEN") between = true;
    else if (word === "AND" && between) between = false;
    else if (word === "AND") {
      found.push([begin, index]);
      begin = index + part.length;
    }
  }
  return [...found, [begin, text.length]];
}

/** The first and the last place that a comparison with the rank leaves; null for what is none. */
function bounds(text) {
  const range = /^(\S+)\s+between\s+(\d+)\s+and\s+(\d+)$/i.exec(text);
  if (range && PLACE.test(range[1])) return [Number(range[2]), Number(range[3])];
  const [, left, sign, right] = /^([^\s<>=]+)\s*(<=|>=|<|>|=)\s*([^\s<>=]+)$/.exec(text) ?? [];
  if (left && PLACE.test(left) && /^\d+$/.test(right)) return BOUNDS[sign](Number(right));
  if (right && PLACE.test(right) && /^\d+$/.test(left)) return BOUNDS[TURNED[sign]](Number(left));
  return null;
}

/** Where in a part of a condition a rank stands, if not in a query of its own; -1 for nowhere. */
function rankIn(text) {
  if (/\bselect\b/i.test(text)) return -1;
  return [...text.matchAll(PARTS)].find(({ 0: part }) => PLACE.test(part))?.index ?? -1;
}

/** Throws `Refused` where a rank stands in anything but a comparison with a number that has to hold. */
function checkPlaces(free = "") {
  const text = free.trim();
  for (const [begin, end] of conjuncts(text)) {
    const at = rankIn(text.slice(begin, end));
    const words = "the rank is the place in this list: compare it with a number, as in rank <= 10 AND \u2026";
    if (at >= 0 && !bounds(text.slice(begin, end).trim())) refuse(text, begin + at, words);
  }
}

/** The places that a condition on the ranked list asks for, and the rest of it, as long as it was; null if it asks for none. */
function placesIn(free = "") {
  let rest = free.trim();
  let [first, last, found] = [1, Infinity, false];
  for (const [begin, end] of conjuncts(rest)) {
    const text = rest.slice(begin, end);
    const given = rankIn(text) < 0 ? null : bounds(text.trim());
    if (!given) continue;
    [first, last, found] = [Math.max(first, given[0]), Math.min(last, given[1]), true];
    const at = begin + text.length - text.trimStart().length;
    const blank = text.trim().replace(/\S/g, " ").replace(/^ {5}/, "1 = 1");
    rest = rest.slice(0, at) + blank + rest.slice(at + blank.length);
  }
  return found ? { first, last, rest } : null;
}

/** The rows of a list from one place to another, as what stands after FROM. */
function rowsAt({ first, last }, view, rows, language) {
  const names = view.columns.filter(({ name }) => name !== "rank").map(({ written }) => written);
  const most = Math.max(0, last - first + 1);
  const [top, limit] = language === "adql" ? [`TOP ${most} `, ""] : ["", `\n  LIMIT ${most}`];
  const bounded = last < Infinity;
  const order = `ORDER BY weighted_ce DESC, iauname${bounded ? limit : ""}${first > 1 ? `\n  OFFSET ${first - 1}` : ""}`;
  return `(\n  SELECT ${bounded ? top : ""}${names.join(", ")}\n  ${rows}\n  ${order}\n) AS worst`;
}
