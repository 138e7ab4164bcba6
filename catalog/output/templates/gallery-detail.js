"use strict";
// The detail of one galaxy: image with overlays, counterparts, votes against prediction. It is
// the gallery's, read from disk, and the served page's (explore-galaxy.js): the same elements.
// Whatever comes from the catalogue is set as text or as an attribute, never as markup.

const byId = (id) => document.getElementById(id);
const view = { mode: "both", outline: true };
const MINUS = "\u2212";

/** A new element with attributes and children; a child may be text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function makeSvg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const fraction = (value) => (value === null ? "–" : value.toFixed(2));
const votes = (value) => String(Math.floor((value ?? 0) + 0.5));
const weighted = (value) => Math.abs((value ?? 0) - Math.floor((value ?? 0) + 0.5)) > 0.01;
const votesOf = ({ count, total }) =>
  `${weighted(count) || weighted(total) ? "about " : ""}${votes(count)} of ${votes(total)}`;
const nats = (value) =>
  value === null ? "–" : isFinite(value) ? Number(value).toFixed(2) : "∞";
const interval = (one) => (one.lo === null ? "" : `${fraction(one.lo)}–${fraction(one.hi)}`);

/** Three digits, with a true minus sign. */
function amount(value) {
  const size = Math.abs(value);
  const text = size >= 100 ? size.toFixed(0) : size ? size.toPrecision(3) : "0";
  return (value < 0 ? MINUS : "") + text;
}

function showDetail(galaxy, rank, select) {
  byId("heading").replaceChildren(make("bdi", {}, galaxy.shown));
  byId("summary").textContent = summary(galaxy, rank);
  showStage(galaxy);
  showCounterparts(galaxy, select);
  showFacts(galaxy);
}

function summary(galaxy, rank) {
  const asked = `${votesOf(galaxy)} volunteers asked`;
  const range = galaxy.lo === null ? "" : ` (90 % interval ${interval(galaxy)})`;
  return (
    `Rank ${rank}: ${asked} ${galaxy.question} said “${galaxy.answer}”, a fraction of ` +
    `${fraction(galaxy.observed)}; predicted ${fraction(galaxy.predicted)}${range}. ` +
    `Weighted loss ${nats(galaxy.loss)} nat.`
  );
}

// --- image and overlays

const freshPicture = (what, src, alt = "") => make("img", { class: what, src, alt });

/** picture: makes the element of an image, as `freshPicture` does. */
function showStage(galaxy, picture = freshPicture) {
  const stage = byId("stage");
  stage.classList.toggle("empty", !galaxy.image && !galaxy.map);
  const layers = [
    galaxy.image
      ? picture("image", galaxy.image, `${galaxy.shown} as the model saw it`)
      : make("p", {}, galaxy.missing),
  ];
  for (const what of ["decrease", "increase"]) {
    if (galaxy.map) layers.push(picture(what, galaxy.map[what]));
  }
  if (galaxy.outline) layers.push(picture("outline", galaxy.outline));
  stage.replaceChildren(...layers);
  for (const button of document.querySelectorAll("[data-mode]")) button.disabled = !galaxy.map;
  byId("outline").disabled = !galaxy.outline;
  byId("modes").hidden = !galaxy.map && !galaxy.outline;
  byId("caption").replaceChildren(...mapWords(galaxy));
  showOverlays();
}

function mapWords(galaxy) {
  if (!galaxy.map) return ["No saliency map of this galaxy is stored."];
  const { reach, increase, decrease, on_target, lowered_on_target } = galaxy.map.scale;
  const of = galaxy.map.of ?? "fraction";
  const scale = make("span", { class: "scale", "aria-hidden": "true" });
  scale.append(MINUS + amount(reach), make("span", { class: "ramp" }), "+" + amount(reach));
  const part = (share) => (share === null ? "" : ` (${Math.round(100 * share)} % on the galaxy)`);
  return [
    scale,
    `Red raised the predicted ${of} of “${galaxy.answer}”, blue lowered it, on this scale ` +
      `per cell of the map. In all it was raised by ${amount(increase)}${part(on_target)} and ` +
      `lowered by ${amount(-decrease)}${part(lowered_on_target)}.` +
      way(galaxy.map.baseline, of === "fraction" ? galaxy.predicted : galaxy.map.value, of) +
      (galaxy.map.exact
        ? ""
        : " Only to first order: the model or the image to make the map from was not at hand, " +
          "and means over dropout samples do not give it."),
  ];
}

/** What pixels did from the baseline to the prediction: the difference of what is printed. */
function way(baseline, predicted, of) {
  if (baseline === null || predicted === null) return "";
  const digits = of === "fraction" ? 2 : 1; // a concentration is from 1 to 101
  const printed = (value) => value.toFixed(digits);
  const change = Number(printed(predicted)) - Number(printed(baseline));
  const step = 10 ** -digits;
  const did =
    Math.abs(change) < step / 2
      ? `changed it by less than ${step}`
      : change > 0
        ? `added ${printed(change)}`
        : `took ${printed(-change)} away`;
  const from = `Baseline ${printed(baseline)}, this galaxy ${printed(predicted)}`;
  return ` ${from}: these pixels ${did}. ${byId("caption").dataset.baseline}`;
}

/** Show and hide the overlays as the buttons say. */
function showOverlays() {
  const { mode } = view;
  const visible = { increase: mode === "increase", decrease: mode === "decrease" };
  for (const what of ["increase", "decrease"]) {
    const overlay = document.querySelector(`#stage .${what}`);
    if (overlay) overlay.hidden = !(visible[what] || mode === "both");
  }
  const line = document.querySelector("#stage .outline");
  if (line) line.hidden = !view.outline;
  for (const button of document.querySelectorAll("[data-mode]")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  }
  byId("outline").setAttribute("aria-pressed", String(view.outline));
}

function setMode(mode) {
  view.mode = mode;
  showOverlays();
}

function toggleOutline() {
  view.outline = !view.outline;
  showOverlays();
}

// --- counterparts

const ROLES = {
  observed: "Voted for alike, except that its votes on the question are as the prediction here.",
  predicted: "Predicted alike, except that its prediction of the question is as the votes here.",
};

function showCounterparts(galaxy, select) {
  const cards = galaxy.counterparts.map((one) => card(one, select));
  if (galaxy.notes) cards.push(make("p", {}, galaxy.notes));
  byId("counterparts").replaceChildren(...cards);
}

/** A counterpart; `select` is given its `place`, where it has one. */
function card(one, select) {
  const picture = one.image
    ? make("img", { src: one.image, alt: "", width: 88, height: 88 })
    : make("p", { class: "blank" }, one.missing);
  const parts = one.shown.split("+").flatMap((part, n) => (n ? [make("wbr"), `+${part}`] : [part]));
  let name = make("bdi", {}, ...parts);
  if (one.place !== null) {
    name = make("button", { type: "button", class: "link" }, name);
    name.addEventListener("click", () => select(one.place));
  }
  const range = interval(one);
  const given = votesOf(one);
  const unasked = one.total ? "asked with other answers" : "nobody was asked";
  const facts = [
    ["observed", one.observed === null ? unasked : `${fraction(one.observed)} (${given})`],
    ["predicted", `${fraction(one.predicted)}${range && ` (${range})`}`],
    ["asked for", fraction(one.asked) + (one.close === null ? "" : `; ${one.close}`)],
  ].flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)]);
  const role = make("span", { class: "soft" }, `${one.role} counterpart`);
  const title = make("div", {}, make("h4", {}, role, " ", name), make("p", {}, ROLES[one.role]));
  return make("div", { class: "card" }, picture, title, make("dl", {}, ...facts));
}

// --- votes against prediction

/** choose: where answers can be chosen, is given the question and the answer. */
function showFacts(galaxy, choose = null) {
  const table = byId("facts");
  for (const body of [...table.tBodies]) body.remove();
  for (const question of galaxy.questions) {
    const pale = question.reached === false ? { class: "pale" } : {};
    const body = table.appendChild(make("tbody", pale));
    const head = make("th", { colspan: 6, scope: "rowgroup" }, `${question.question} `);
    const words = question.words ?? `${votes(question.total)} asked`;
    head.append(make("span", { class: "soft" }, words));
    body.append(make("tr", { class: "question" }, head));
    for (const [answer, count, observed, predicted, lo, hi, ce] of question.answers) {
      const one = { answer, count, observed, predicted, lo, hi, ce };
      body.append(factRow(one, question, galaxy, choose));
    }
    if (question.outside) {
      const name = make("th", { scope: "row", class: "soft" }, "outside the tree");
      const count = make("td", { class: "soft" }, votes(question.outside));
      body.append(make("tr", {}, name, make("td"), count, make("td"), make("td"), make("td")));
    }
  }
}

function factRow(one, question, galaxy, choose) {
  const chosen = question.question === galaxy.question && one.answer === galaxy.answer;
  let name = one.answer;
  if (choose) {
    const pressed = { "aria-pressed": String(chosen) };
    name = make("button", { type: "button", class: "link", ...pressed }, name);
    name.addEventListener("click", () => choose(question.question, one.answer));
  }
  const predicted = make("td", {}, fraction(one.predicted));
  if (one.lo !== null) predicted.append(" ", make("span", { class: "interval" }, interval(one)));
  return make(
    "tr",
    chosen ? { class: "chosen" } : {},
    make("th", { scope: "row" }, name),
    make("td", { class: "chart" }, chart(one)),
    make("td", {}, votes(one.count)),
    make("td", {}, fraction(one.observed)),
    predicted,
    make("td", { class: "ce" }, nats(one.ce)),
  );
}

/** A dot for the observed fraction on a bar for the prediction; the row says the numbers. */
function chart(one) {
  const at = (value) => `${100 * value}%`;
  const across = { y1: "50%", y2: "50%" };
  const parts = [0, 0.25, 0.5, 0.75, 1].map((value) =>
    makeSvg("line", { class: "grid", x1: at(value), x2: at(value), y1: 0, y2: "100%" }),
  );
  if (one.lo !== null) {
    parts.push(makeSvg("line", { class: "range", x1: at(one.lo), x2: at(one.hi), ...across }));
  }
  if (one.predicted !== null) {
    const place = { x1: at(one.predicted), x2: at(one.predicted) };
    parts.push(makeSvg("line", { class: "mean", ...place, y1: "15%", y2: "85%" }));
  }
  if (one.observed !== null) {
    parts.push(makeSvg("circle", { class: "dot", cx: at(one.observed), cy: "50%", r: 3.5 }));
  }
  const range = one.lo === null ? "" : `, 90 % interval ${interval(one)}`;
  const words = `observed ${fraction(one.observed)}, predicted ${fraction(one.predicted)}${range}`;
  return makeSvg("svg", { role: "img", "aria-label": words }, ...parts);
}
