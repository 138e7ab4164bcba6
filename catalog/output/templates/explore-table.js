"use strict";
// The table: a page of rows, its headers, its columns, and the way through the pages.
// Uses explore-query.js.

const NEEDED = ["predicted", "observed"]; // of the chart
const MINOR = ["rank", "ce", "total_votes", "run_id"]; // left out on a phone
const SHORT = { observed: "obs", predicted: "pred", weighted_ce: "weighted", total_votes: "votes" };
let shownRows = []; // names of the galaxies of the rows that are shown, in their order

// --- cells

const isText = (column) => ["VARCHAR", "TIMESTAMP"].includes(column.type);
const isMinor = (column) => MINOR.includes(column.name);
const isShare = (column) => /probability|confidenceLevel/.test(column.ucd);

/** A value as a person reads it. */
function valueText(column, value) {
  if (value === null || value === undefined) return "–";
  if (value === "inf" || value === "-inf") return value === "inf" ? "∞" : `${MINUS}∞`;
  if (column.type === "BOOLEAN") return value ? "yes" : "no";
  if (column.type === "TIMESTAMP") return String(value).replace("T", " ").slice(0, 19); // to the second
  if (isText(column)) return String(value);
  if (column.unit === "deg") return value.toFixed(5).replace("-", MINUS);
  if (isShare(column)) return value.toFixed(2).replace("-", MINUS);
  if (column.ucd === "meta.id") return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en").replace("-", MINUS);
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e6 ? value.toExponential(2).replace("-", MINUS) : amount(value);
}

/** A name that may be broken before its sign. */
function broken(name) {
  return name.split("+").flatMap((part, n) => (n ? [make("wbr"), `+${part}`] : [part]));
}

function galaxyCell(name) {
  const link = make("a", { href: stateLink({ galaxy: name }) }, make("bdi", {}, ...broken(name)));
  const inside = make("div");
  if (about.images) inside.append(thumbnail(name));
  inside.append(link);
  return make("th", { scope: "row", class: "galaxy text" }, inside);
}

const answers = new Map();

/** An answer as the gallery has it: its question above it. */
function answerCell(label) {
  const one = answers.get(label);
  if (!one) return make("td", { class: "text" }, label ?? "–");
  const question = make("span", { class: "soft" }, one.question);
  return make("td", { class: "answer text" }, question, " ", one.answer);
}

function cell(column, row) {
  const value = row[column.name];
  if (column.name === "iauname" && value !== null) return galaxyCell(value);
  if (column.name === "label") return answerCell(value);
  const text = valueText(column, value);
  const classes = [isText(column) && "text", text.length > 60 && "long", isMinor(column) && "minor"];
  const attributes = { class: classes.filter(Boolean).join(" ") };
  if (text.length > 60 || column.type === "TIMESTAMP") attributes.title = String(value);
  return make("td", attributes, text);
}

function chartCell(row) {
  const known = (value) => (typeof value === "number" ? value : null);
  const [observed, predicted] = [known(row.observed), known(row.predicted)];
  return make("td", { class: "chart" }, chart({ observed, predicted, lo: null, hi: null }));
}

// --- the table

const isCharted = (view) => has(view, "iauname") && NEEDED.every((name) => has(view, name));

function showHead(state, view, columns) {
  const sort = sorted(state, view);
  const cells = columns.map((column) => {
    const isPlace = column.name === "rank" && isRanked(state, view);
    const words = isPlace ? "the place in this list" : column.description + (column.unit ? `, ${column.unit}` : "");
    const button = make("button", { type: "button", title: words }, ...headText(column.name));
    button.setAttribute("aria-label", column.name);
    const classes = [isText(column) && "text", isMinor(column) && "minor", column.name === "iauname" && "galaxy"];
    const head = make("th", { scope: "col", class: classes.filter(Boolean).join(" ") }, button);
    if (sort.name === column.name) {
      head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
    }
    button.addEventListener("click", () => sortBy(column, sort));
    return head;
  });
  if (isCharted(view)) cells.push(chartHead());
  const focused = byId("head").contains(document.activeElement) && document.activeElement.textContent;
  byId("head").replaceChildren(make("tr", {}, ...cells));
  const buttons = [...byId("head").querySelectorAll("button")];
  buttons.find((button) => button.textContent === focused)?.focus();
}

/** The name of a column, in short where there is little room. */
function headText(name) {
  const [before, short] = [name.split(SHORT[name] ?? name)[0], SHORT[name] ?? name];
  const rest = (text) => make("span", { class: "rest" }, text);
  return [rest(before), short, rest(name.slice(before.length + short.length))];
}

function chartHead() {
  const ends = make("div", { "aria-hidden": "true" });
  ends.append(...["0", "0.5", "1"].map((end) => make("span", {}, end)));
  return make("th", { scope: "col", class: "chart" }, make("span", { class: "unseen" }, "Chart"), ends);
}

/** From the largest first for numbers that measure, else from the first. */
function sortBy(column, before) {
  const first = isText(column) || /rank|meta\.id/.test(column.ucd) ? "" : "-";
  const other = before.down ? "" : "-";
  const sign = before.name === column.name ? other : first;
  writeState({ sort: sign + column.name, page: null });
}

/** Show rows; those of galaxies can be opened. */
function showRows(state, view, rows) {
  const columns = chosen(state, view).map((name) => columnOf(view, name));
  showHead(state, view, columns);
  forgetThumbnails();
  shownRows = rows.map((row) => row.iauname ?? null);
  const made = rows.map((row) => {
    const cells = columns.map((column) => cell(column, row));
    if (isCharted(view)) cells.push(chartCell(row));
    const one = make("tr", {}, ...cells);
    if (row.iauname) one.addEventListener("click", (event) => openRow(event, row.iauname));
    return one;
  });
  byId("rows").replaceChildren(...made);
  byId("table").classList.toggle("galaxies", has(view, "iauname"));
}

function openRow(event, name) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a link opens elsewhere
  if (String(getSelection())) return; // a person marks text
  event.preventDefault();
  writeState({ galaxy: name });
}

/** Say which rows are shown, of how many; total: null while it is not known. */
function showCount(state, view, shown, total) {
  const from = offsetOf(state);
  const said = total === null ? "…" : total.toLocaleString("en");
  const words = total === 1 ? "row" : "rows";
  const whole = from === 0 && total === shown;
  byId("count").textContent = whole || !shown
    ? `${said} ${words}`
    : `${words} ${(from + 1).toLocaleString("en")}–${(from + shown).toLocaleString("en")} of ${said}`;
  byId("none").hidden = shown > 0;
  byId("none").textContent = nothing(state, view, from);
  byId("page-before").disabled = from === 0;
  byId("page-after").disabled = total === null ? shown < PAGE : from + shown >= total;
  byId("pages").hidden = from === 0 && shown < PAGE;
}

function nothing(state, view, from) {
  if (!view.filled) return `${view.name} has no rows in this catalogue.`;
  return from ? "There are no rows this far." : "Nothing is like this. Widen a filter, or reset them.";
}

// --- which columns

function showColumns(state, view) {
  const names = chosen(state, view);
  const boxes = view.columns.map((column) => {
    const box = make("input", { type: "checkbox", value: column.name });
    box.checked = names.includes(column.name);
    box.disabled = column.name === "iauname";
    return make("label", { title: column.description }, box, " ", column.name);
  });
  byId("columns").replaceChildren(...boxes);
}

function onColumns() {
  const boxes = [...byId("columns").querySelectorAll("input:checked")];
  writeState({ columns: boxes.map((box) => box.value).join(",") });
}
