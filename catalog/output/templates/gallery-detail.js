"use strict";
// The detail of one galaxy: image with overlays, counterparts, votes against prediction.
// Uses page-parts.js.

const view = { mode: "both", outline: true };

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

function showStage(galaxy) {
  const stage = byId("stage");
  stage.replaceChildren();
  stage.classList.toggle("empty", !galaxy.image && !galaxy.map);
  if (galaxy.image) {
    const alt = `${galaxy.shown} as the model saw it`;
    stage.append(make("img", { class: "image", src: galaxy.image, alt }));
  } else stage.append(make("p", {}, galaxy.missing));
  for (const what of ["decrease", "increase"]) {
    if (galaxy.map) stage.append(make("img", { class: what, src: galaxy.map[what], alt: "" }));
  }
  if (galaxy.outline) stage.append(make("img", { class: "outline", src: galaxy.outline, alt: "" }));
  for (const button of document.querySelectorAll("[data-mode]")) button.disabled = !galaxy.map;
  byId("outline").disabled = !galaxy.outline;
  byId("modes").hidden = !galaxy.map && !galaxy.outline;
  byId("caption").replaceChildren(...mapWords(galaxy));
  showOverlays();
}

function mapWords(galaxy) {
  if (!galaxy.map) return ["No saliency map of this galaxy is stored."];
  const { reach, increase, decrease, on_target, lowered_on_target } = galaxy.map.scale;
  const scale = make("span", { class: "scale", "aria-hidden": "true" });
  scale.append(MINUS + amount(reach), make("span", { class: "ramp" }), "+" + amount(reach));
  const part = (share) => (share === null ? "" : ` (${Math.round(100 * share)} % on the galaxy)`);
  return [
    scale,
    `Red raised the predicted fraction of “${galaxy.answer}”, blue lowered it, on this scale ` +
      `per cell of the map. In all it was raised by ${amount(increase)}${part(on_target)} and ` +
      `lowered by ${amount(-decrease)}${part(lowered_on_target)}.` +
      way(galaxy.map.baseline, galaxy.predicted) +
      (galaxy.map.exact
        ? ""
        : " Only to first order: the model or the image to make the map from was not at hand, " +
          "and means over dropout samples do not give it."),
  ];
}

/** What pixels did from the baseline to the prediction: the difference of what is printed. */
function way(baseline, predicted) {
  if (baseline === null || predicted === null) return "";
  const change = Number(fraction(predicted)) - Number(fraction(baseline));
  const did =
    Math.abs(change) < 0.005
      ? "changed it by less than 0.01"
      : change > 0
        ? `added ${fraction(change)}`
        : `took ${fraction(-change)} away`;
  const from = `Baseline ${fraction(baseline)}, this galaxy ${fraction(predicted)}`;
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

function showFacts(galaxy) {
  const table = byId("facts");
  for (const body of [...table.tBodies]) body.remove();
  for (const question of galaxy.questions) {
    const body = table.appendChild(make("tbody"));
    const asked = `${votes(question.total)} asked`;
    const head = make("th", { colspan: 6, scope: "rowgroup" }, `${question.question} `);
    head.append(make("span", { class: "soft" }, asked));
    body.append(make("tr", { class: "question" }, head));
    for (const [answer, count, observed, predicted, lo, hi, ce] of question.answers) {
      const one = { answer, count, observed, predicted, lo, hi, ce };
      body.append(factRow(one, question, galaxy));
    }
    if (question.outside) {
      const name = make("th", { scope: "row", class: "soft" }, "outside the tree");
      const count = make("td", { class: "soft" }, votes(question.outside));
      body.append(make("tr", {}, name, make("td"), count, make("td"), make("td"), make("td")));
    }
  }
}

function factRow(one, question, galaxy) {
  const chosen = question.question === galaxy.question && one.answer === galaxy.answer;
  const predicted = make("td", {}, fraction(one.predicted));
  if (one.lo !== null) predicted.append(" ", make("span", { class: "interval" }, interval(one)));
  return make(
    "tr",
    chosen ? { class: "chosen" } : {},
    make("th", { scope: "row" }, one.answer),
    make("td", { class: "chart" }, chart(one)),
    make("td", {}, votes(one.count)),
    make("td", {}, fraction(one.observed)),
    predicted,
    make("td", { class: "ce" }, nats(one.ce)),
  );
}
