"use strict";
// Filters: the name, the answer, votes; sliders down the decision tree; a condition of one's own.
// Uses explore-query.js. Each field writes a part of the state, and shows it again.

const STEP = 0.01; // of the sliders
// Conditions to begin with, of columns that views have.
const EXAMPLES = ["observed < 0.2 AND predicted > 0.8", "fraction > 0.8", "dec BETWEEN 0 AND 10"];

// --- fields above the table

function fillViews() {
  byId("view").replaceChildren();
  const groups = [["With rows", true], ["Empty in this catalogue", false]];
  for (const [label, filled] of groups) {
    const views = about.views.filter((one) => one.filled === filled);
    const options = views.map((one) => make("option", { value: one.name }, one.name));
    if (options.length) byId("view").append(make("optgroup", { label }, ...options));
  }
}

function fillAnswers() {
  for (const question of about.questions) {
    const all = make("option", { value: `question:${question.name}` }, `${question.name}: any`);
    const each = question.answers.map(({ name, label }) =>
      make("option", { value: `label:${label}` }, `${question.name}: ${name}`),
    );
    byId("answer").append(make("optgroup", { label: question.name }, all, ...each));
    for (const { name, label } of question.answers) {
      answers.set(label, { question: question.name, answer: name });
    }
  }
}

/** What a row is, and by which rule galaxies are ranked. */
function rowWords(state, view) {
  const words = `One row per ${view.row}`;
  if (view.name !== "worst") return `${words}.`;
  const least = Number(leastVotes(state, view));
  const counts = least > 0 ? ` among questions that ${least} volunteers were asked` : ", of however few votes";
  const place = isRanked(state, view) ? ". The rank is the place in this list" : "";
  return `${words}${counts}, as ${ruleOf(state, view)}${place}.`;
}

/** Show the state in the fields, and only those that this view can be asked by. */
function showFields(state, view) {
  byId("view").value = view.name;
  byId("row-of").textContent = rowWords(state, view);
  byId("name").value = state.name ?? "";
  byId("answer").value = state.answer ?? "";
  byId("votes").value = leastVotes(state, view);
  byId("where").value = state.where ?? "";
  const example = EXAMPLES.find((one) => one.match(/\w+/g).every((word) => !/^[a-z]/.test(word) || has(view, word)));
  byId("where").placeholder = example ?? "";
  byId("name-field").hidden = !has(view, "iauname");
  byId("answer-field").hidden = !has(view, "question") && !has(view, "label");
  byId("votes-field").hidden = !has(view, "total_votes");
  byId("tree").hidden = !keyOf(view) || !about.questions.length;
  byId("sky").hidden = !keyOf(view);
  const fields = ["name", "answer", "votes", "where", "circle"].filter((key) => key in state);
  const sliders = Object.keys(state).filter((key) => /^[oprn]\./.test(key));
  const number = fields.length + sliders.length;
  byId("reset").disabled = number === 0;
  byId("filters-number").textContent = number ? ` (${number})` : "";
  showSliders(state);
}

/** Forget all filters. */
function resetFilters() {
  const keys = Object.keys(readState()).filter((key) => /^[oprn]\./.test(key));
  const all = [...keys, "name", "answer", "votes", "where", "circle", "page"];
  writeState(Object.fromEntries(all.map((key) => [key, null])));
}

// --- the decision tree

/** How many questions are at least asked before a question. */
function depthOf(question) {
  const before = question.after.map((label) => answers.get(label).question);
  const parents = about.questions.filter((one) => before.includes(one.name));
  return parents.length ? 1 + Math.min(...parents.map(depthOf)) : 0;
}

/** The questions, each before those that it leads to. */
function inOrder() {
  const found = new Set();
  const add = (question) => {
    found.add(question);
    const labels = question.answers.map(({ label }) => label);
    const next = about.questions.filter((one) => one.after.some((label) => labels.includes(label)));
    for (const one of next) if (!found.has(one)) add(one);
  };
  for (const question of about.questions) if (!question.after.length) add(question);
  return [...found];
}

const keysOf = (question) => [
  `n.${question.name}`,
  `r.${question.name}`,
  ...question.answers.flatMap(({ label }) => [`o.${label}`, `p.${label}`]),
];

function fillTree() {
  for (const question of inOrder()) {
    const depth = Math.min(depthOf(question), 3);
    const used = make("span", { class: "used" });
    const summary = make("summary", {}, question.name, " ", used);
    const part = make("details", { class: `question depth-${depth}` }, summary);
    part.dataset.question = question.name;
    part.addEventListener("toggle", () => {
      if (part.open && part.children.length === 1) part.append(...questionFields(question));
      if (part.open) showSliders(readState());
    });
    byId("questions").append(part);
  }
}

function questionFields(question) {
  const after = question.after.map((label) => answers.get(label)?.answer ?? label);
  const words = after.length ? [make("p", { class: "soft" }, `asked after ${after.join(", ")}`)] : [];
  const votes = about.filled.votes ? [numberField(question)] : [];
  const reach = about.filled.predictions && after.length ? [reachField(question)] : [];
  return [...words, ...votes, ...reach, ...question.answers.map((one) => answerFields(question, one))];
}

function numberField(question) {
  const key = `n.${question.name}`;
  const input = make("input", { type: "number", min: 0, step: 1, inputmode: "numeric", "data-key": key });
  input.addEventListener("change", () => {
    writeState({ [key]: Number(input.value) > 0 ? input.value : null, page: null });
  });
  const named = { "aria-label": `${question.name}: volunteers asked, at least` };
  for (const [name, value] of Object.entries(named)) input.setAttribute(name, value);
  return make("label", { class: "line" }, make("span", {}, "volunteers asked, at least"), input);
}

function reachField(question) {
  const key = `r.${question.name}`;
  const said = make("output");
  const input = make("input", { type: "range", min: 0, max: 1, step: STEP, "data-key": key });
  input.setAttribute("aria-label", `${question.name}: predicted reach, at least`);
  input.addEventListener("input", () => (said.textContent = Number(input.value).toFixed(2)));
  input.addEventListener("change", () => {
    writeState({ [key]: Number(input.value) > 0 ? input.value : null, page: null });
  });
  return make("label", { class: "line" }, make("span", {}, "predicted reach, at least"), input, said);
}

/** Two sliders with two ends each: the observed and the predicted fraction of an answer. */
function answerFields(question, { name, label }) {
  const parts = [make("span", { class: "answer-name" }, name)];
  if (about.filled.votes) parts.push(rangeField(`o.${label}`, "votes", `${question.name}, ${name}: vote fraction`));
  if (about.filled.predictions) {
    parts.push(rangeField(`p.${label}`, "model", `${question.name}, ${name}: predicted fraction`));
  }
  return make("div", { class: "fractions" }, ...parts);
}

function rangeField(key, short, words) {
  const said = make("output");
  const ends = ["at least", "at most"].map((end, place) => {
    const input = make("input", { type: "range", min: 0, max: 1, step: STEP, "data-key": key });
    input.setAttribute("aria-label", `${words}, ${end}`);
    input.dataset.end = place;
    return input;
  });
  const track = make("span", { class: "track" }, make("span", { class: "between" }), ...ends);
  const row = make("div", { class: `range-row of-${short}` }, make("span", { class: "soft" }, short), track, said);
  const show = () => showRange(row);
  ends.forEach((input, place) => {
    input.addEventListener("input", () => {
      // an end pushes the other before it
      const other = ends[1 - place];
      if (place ? Number(input.value) < Number(other.value) : Number(input.value) > Number(other.value)) {
        other.value = input.value;
      }
      show();
    });
    input.addEventListener("change", () => {
      const [lo, hi] = ends.map((end) => Number(end.value));
      writeState({ [key]: lo > 0 || hi < 1 ? `${lo}~${hi}` : null, page: null });
    });
  });
  return row;
}

function showRange(row) {
  const [lo, hi] = [...row.querySelectorAll("input")].map((input) => Number(input.value));
  row.querySelector("output").textContent = `${lo.toFixed(2)}–${hi.toFixed(2)}`;
  row.querySelector(".between").style.cssText = `left: ${100 * lo}%; right: ${100 - 100 * hi}%`;
  row.classList.toggle("set", lo > 0 || hi < 1);
}

/** Show the state in the sliders that there are, and which questions are used. */
function showSliders(state) {
  for (const part of byId("questions").children) {
    const question = about.questions.find((one) => one.name === part.dataset.question);
    const used = keysOf(question).filter((key) => key in state).length;
    part.querySelector(".used").textContent = used ? `${used} set` : "";
  }
  for (const input of byId("questions").querySelectorAll("[data-key]")) {
    const value = state[input.dataset.key];
    if (input.dataset.end === undefined) {
      input.value = value ?? (input.type === "number" ? "" : 0);
      const said = input.parentElement.querySelector("output");
      if (said) said.textContent = Number(input.value).toFixed(2);
    } else {
      input.value = (rangeOf(value) ?? [0, 1])[Number(input.dataset.end)];
      showRange(input.closest(".range-row"));
    }
  }
}

// --- beginning

function beginFilters() {
  fillViews();
  fillAnswers();
  fillTree();
  const writes = (id, change) =>
    byId(id).addEventListener("change", () => writeState({ ...change(byId(id).value), page: null }));
  writes("view", (view) => ({ view, columns: null, sort: null }));
  writes("name", (name) => ({ name }));
  byId("name").addEventListener("keydown", (event) => {
    if (event.key === "Enter") toRows(); // so that j and k go on from there
  });
  writes("answer", (answer) => ({ answer }));
  writes("votes", (votes) => ({ votes: votes === FEWEST ? null : votes || "0" }));
  writes("where", (where) => ({ where: where.trim() }));
  byId("where").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    writeState({ where: byId("where").value.trim(), page: null });
  });
  byId("reset").addEventListener("click", resetFilters);
}
