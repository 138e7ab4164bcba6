"use strict";
// What is shown, as a query: in ADQL, in the SQL of `zoolens sql`, and in Python.
// Uses explore-state.js, explore-ranking.js, explore-condition.js and explore-places.js.

const PAGE = 100; // rows
const MOST_SORTED = 2_000_000; // rows, for which a query has the memory
const FEWEST = "10"; // volunteers without whom a ranking is mostly of chance
const FIRST_SORT = ["rank", "-weighted_ce", "iauname", "run_id", "answer_id"];

const viewOf = (state) =>
  about.views.find((one) => one.name === state.view) ??
  about.views.find((one) => one.name === about.first);
const columnOf = (view, name) => view.columns.find((one) => one.name === name);
const has = (view, name) => columnOf(view, name) !== undefined;
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;
const isNumber = (text) => text.trim() !== "" && Number(text) >= 0 && Number(text) < Infinity;
const leastVotes = (state, view) =>
  has(view, "total_votes") ? (isNumber(state.votes ?? "") ? state.votes : FEWEST) : "";

/** A range "0.2~0.8" as two numbers; null for what is none. */
function rangeOf(text) {
  const ends = (text ?? "").split("~").map(Number);
  return ends.length === 2 && ends.every((end) => end >= 0 && end <= 1) && ends[0] <= ends[1] ? ends : null;
}

/** A circle "ra,dec,radius", in degrees; null for what is none. */
function circleOf(text) {
  const [ra, dec, radius, more] = (text ?? "").split(",").map((part) => (part ? Number(part) : NaN));
  const known = ra >= 0 && ra <= 360 && Math.abs(dec) <= 90 && radius > 0 && radius <= 180;
  return known && more === undefined ? { ra, dec, radius } : null;
}

/** The names of the columns that are shown, in the order of the view. */
function chosen(state, view) {
  const asked = state.columns?.split(",").filter((name) => has(view, name));
  const names = asked?.length ? asked : view.columns.map((one) => one.name).filter(byDefault(view));
  const first = has(view, "iauname") && !names.includes("iauname") ? ["iauname"] : [];
  const order = view.columns.map((one) => one.name);
  return [...first, ...names].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

/** What tells a galaxy in a view, and in others: its number, in a release its name; null if nothing does. */
const keyOf = (view) => ["galaxy_id", "iauname"].find((name) => has(view, name)) ?? null;

/** Numbers of galaxies and runs, what another column says too, and the finer points are shown where asked for. */
function byDefault(view) {
  const left = ["galaxy_id", "image_sha256", "image_member", "model_sha256", "dtype"];
  left.push("weight", "reach_weighted_ce", "fraction_sd", "fraction_model_sd");
  if (has(view, "iauname")) left.push("run_id", "piece");
  if (has(view, "label")) left.push("question", "answer");
  const many = view.columns.length > 14 ? /_on_|^on_|^peak_/ : /^$/;
  return (name) => !left.includes(name) && !many.test(name);
}

/** How it is sorted: the name of a column, and whether from the largest. */
function sorted(state, view) {
  const asked = [state.sort, ...FIRST_SORT].find((one) => one && has(view, one.replace(/^-/, "")));
  const sort = asked ?? view.columns[0].name;
  return { name: sort.replace(/^-/, ""), down: sort.startsWith("-") };
}

// --- conditions

const DISTANCE = ({ ra, dec, radius }) =>
  `degrees(2 * asin(sqrt(pow(sin(radians(dec - ${dec}) / 2), 2)\n` +
  `    + cos(radians(dec)) * cos(radians(${dec})) * pow(sin(radians(ra - ${ra}) / 2), 2)))) <= ${radius}`;
const INSIDE = ({ ra, dec, radius }) =>
  `1 = CONTAINS(POINT(ra, dec), CIRCLE(${ra}, ${dec}, ${radius}))`;

const ofGalaxies = (key, view, condition) =>
  `${key} IN (SELECT ${key} FROM zoolens.${view} WHERE ${condition})`;

/** The conditions of the sliders; key: the column that tells a galaxy. */
function sliderConditions(state, key) {
  const found = [];
  for (const question of about.questions) {
    const of = `question = ${quoted(question.name)}`;
    const least = Number(state[`n.${question.name}`]);
    if (least > 0) found.push(ofGalaxies(key, "votes", `${of} AND total >= ${least}`));
    const reach = Number(state[`r.${question.name}`]);
    if (reach > 0) found.push(ofGalaxies(key, "predictions", `${of} AND reach >= ${reach}`));
    for (const { label } of question.answers) {
      for (const [kind, view] of [["o", "votes"], ["p", "predictions"]]) {
        const range = rangeOf(state[`${kind}.${label}`]);
        const between = range && `label = ${quoted(label)} AND fraction BETWEEN ${range.join(" AND ")}`;
        if (range) found.push(ofGalaxies(key, view, between));
      }
    }
  }
  return found;
}

/** What holds of the rows, without the free condition. language: "adql" or "sql". */
function conditions(state, view, language = "adql") {
  const found = [];
  if (!isRanked(state, view)) {
    const answer = answerCondition(state);
    if (answer && has(view, answer.split(" ")[0])) found.push(answer);
    const least = Number(leastVotes(state, view));
    if (least > 0) found.push(`total_votes >= ${least}`);
  }
  if (state.name && has(view, "iauname")) {
    found.push(`LOWER(iauname) LIKE ${quoted(`%${state.name.toLowerCase()}%`)}`);
  }
  const key = keyOf(view);
  if (!key) return found;
  found.push(...sliderConditions(state, key));
  const circle = about.positions ? circleOf(state.circle) : null;
  if (circle) {
    const inside = language === "adql" ? INSIDE(circle) : DISTANCE(circle);
    found.push(has(view, "ra") ? inside : ofGalaxies(key, "galaxies", inside));
  }
  return found;
}

/** FROM and WHERE. */
function source(state, view, language = "adql") {
  const found = conditions(state, view, language);
  const places = placesOf(state, view);
  if (state.where?.trim()) found.push(freeText(places?.rest ?? state.where));
  const rows = isRanked(state, view) ? rankedRows(state, view) : `zoolens.${view.name}`;
  const all = `FROM ${rows}` + (found.length ? `\nWHERE ${found.join("\n  AND ")}` : "");
  return places ? `FROM ${rowsAt(places, view, all, language)}` : all;
}

// --- queries

function columnsText(state, view, extra = []) {
  const names = [...chosen(state, view), ...extra.filter((name) => has(view, name))];
  const asked = new Set(names);
  if (isRanked(state, view)) asked.delete("rank"); // the place in the list
  return [...asked].map((name) => columnOf(view, name).written).join(", ");
}

function orderText(state, view) {
  const { name, down } = sorted(state, view);
  if (name === "rank" && isRanked(state, view)) {
    return down ? "ORDER BY weighted_ce, iauname DESC" : "ORDER BY weighted_ce DESC, iauname";
  }
  const ties = ["iauname", "label", "question", "name"].filter((one) => one !== name && has(view, one));
  const others = ties.map((one) => columnOf(view, one).written);
  return "ORDER BY " + [columnOf(view, name).written + (down ? " DESC" : ""), ...others].join(", ");
}

const offsetOf = (state) => PAGE * (Math.max(1, Math.floor(Number(state.page)) || 1) - 1);

/** The query of a page of rows; extra: columns that the page needs beside those shown. */
function rowsQuery(state, view, extra = []) {
  const from = offsetOf(state);
  return (
    `SELECT TOP ${PAGE} ${columnsText(state, view, extra)}\n${source(state, view)}\n` +
    orderText(state, view) + (from ? `\nOFFSET ${from}` : "")
  );
}

/** The query of all rows, of which there are so many, or null where that is not known. */
function wholeQuery(state, view, rows) {
  const order = rows > MOST_SORTED ? `-- not sorted: ${rows} rows are too many` : orderText(state, view);
  return `SELECT ${columnsText(state, view)}\n${source(state, view)}\n${order}`;
}

function countQuery(state, view) {
  return `SELECT COUNT(*) AS n\n${source(state, view)}`;
}

// Functions of ADQL that DuckDB calls otherwise.
const OTHER_NAMES = { LOG: "ln", TRUNCATE: "trunc", RAND: "random" };
const GEOMETRY = /\b(CONTAINS|INTERSECTS|POINT|CIRCLE|POLYGON|BOX|DISTANCE|AREA|CENTROID|COORD[12])\s*\(/i;

/** All rows as `zoolens sql` and DuckDB understand it. */
function asSql(state, view) {
  const sql = `SELECT ${columnsText(state, view)}\n${source(state, view, "sql")}\n${orderText(state, view)}`;
  return sql.replace(/'(?:[^']|'')*'|\bzoolens\.|\b(LOG|TRUNCATE|RAND)(?=\s*\()/gi, (found, name) =>
    name ? OTHER_NAMES[name.toUpperCase()] : found.startsWith("'") ? found : "");
}

function asShell(state, view) {
  const warning = GEOMETRY.test(state.where ?? "")
    ? "# the geometry of your condition is ADQL's: ask it by TAP\n"
    : "";
  const catalogue = `'${about.catalogue.replaceAll("'", "'\\''")}'`;
  return `${warning}zoolens sql --catalog ${catalogue} - <<'SQL'\n${asSql(state, view)}\nSQL`;
}

function inPython(text) {
  return `"""${text.replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"')}"""`;
}

function asPython(state, view, rows) {
  const address = new URL("tap", location.href.replace(/[#?].*/s, "")).href;
  const session = about.token
    ? 'import requests\n\nsession = requests.Session()\nsession.auth = ("", "the token")\n'
    : "";
  const [also, more] = about.token ? [", session=session", session] : ["", ""];
  return (
    `import pyvo\n${more}\nservice = pyvo.dal.TAPService(${JSON.stringify(address)}${also})\n` +
    `table = service.search(\n    ${inPython(wholeQuery(state, view, rows))},\n` +
    `    maxrec=${about.most_rows},\n).to_table()\n\n` +
    `# or, where the catalogue lies\nimport zoolens\n\n` +
    `catalogue = zoolens.open(${JSON.stringify(about.catalogue)})\n` +
    `frame = catalogue.sql(\n    ${inPython(asSql(state, view))}\n)\n`
  );
}

/** The address that gives all rows in a format of TAP's. */
function downloadLink(state, view, form, rows) {
  return `tap/sync?${asked(wholeQuery(state, view, rows), form, about.most_rows)}`;
}
