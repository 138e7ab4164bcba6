"use strict";
// The detail of one galaxy: image with overlays, counterparts, votes against prediction. It is
// the gallery's, read from disk, and the served page's (explore-galaxy.js): the same elements.
// Uses page-parts.js.

const seen = { mode: "both", outline: true };

function showDetail(galaxy, rank, select) {
  byId("heading").replaceChildren(make("bdi", {}, galaxy.shown));
  byId("summary").textContent = summary(galaxy, rank);
  showStage(galaxy);
  showCounterparts(galaxy, select);
  showFacts(galaxy);
}

function summary(galaxy, rank) {
  return `Rank ${rank}: ${verdict(galaxy)} Weighted loss ${nats(galaxy.loss)} nat.`;
}

/** What volunteers and model say of a galaxy's answer. */
function verdict(galaxy) {
  const asked = `${votesOf(galaxy)} volunteers asked`;
  const range = galaxy.lo === null ? "" : ` (90 % interval ${interval(galaxy)})`;
  return (
    `${asked} ${galaxy.question} said “${galaxy.answer}”, a fraction of ` +
    `${fraction(galaxy.observed)}; predicted ${fraction(galaxy.predicted)}${range}.`
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
  const { mode } = seen;
  const visible = { increase: mode === "increase", decrease: mode === "decrease" };
  for (const what of ["increase", "decrease"]) {
    const overlay = document.querySelector(`#stage .${what}`);
    if (overlay) overlay.hidden = !(visible[what] || mode === "both");
  }
  const line = document.querySelector("#stage .outline");
  if (line) line.hidden = !seen.outline;
  for (const button of document.querySelectorAll("[data-mode]")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  }
  byId("outline").setAttribute("aria-pressed", String(seen.outline));
}

function setMode(mode) {
  seen.mode = mode;
  showOverlays();
}

function toggleOutline() {
  seen.outline = !seen.outline;
  showOverlays();
}

// --- counterparts

const ROLES = {
  observed: "Voted for alike, except that its votes on the question are as the prediction here.",
  predicted: "Predicted alike, except that its prediction of the question is as the votes here.",
};

function showCounterparts(galaxy, select) {
  const cards = galaxy.counterparts.map((one) =>
    card(one, (name) => {
      if (one.place === null) return name;
      const button = make("button", { type: "button", class: "link" }, name);
      button.addEventListener("click", () => select(one.place));
      return button;
    }),
  );
  if (galaxy.notes) cards.push(make("p", {}, galaxy.notes));
  byId("counterparts").replaceChildren(...cards);
}

/** A name that may break before its declination. */
function nameOf(shown) {
  const parts = shown.split("+").flatMap((part, n) => (n ? [make("wbr"), `+${part}`] : [part]));
  return make("bdi", {}, ...parts);
}

/** A counterpart; linked: makes of its name what leads to it; without a role it is not said. */
function card(one, linked) {
  const picture = one.image
    ? make("img", { src: one.image, alt: "", width: 88, height: 88 })
    : make("p", { class: "blank" }, one.missing);
  const name = linked(nameOf(one.shown));
  const range = interval(one);
  const given = votesOf(one);
  const unasked = one.total ? "asked with other answers" : "nobody was asked";
  const facts = [
    ["observed", one.observed === null ? unasked : `${fraction(one.observed)} (${given})`],
    ["predicted", `${fraction(one.predicted)}${range && ` (${range})`}`],
    ["asked for", fraction(one.asked) + (one.close === null ? "" : `; ${one.close}`)],
  ].flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)]);
  const title = make("div", {}, make("h4", {}, name));
  if (one.role) {
    title.firstChild.prepend(make("span", { class: "soft" }, `${one.role} counterpart`), " ");
    title.append(make("p", {}, ROLES[one.role]));
  }
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
