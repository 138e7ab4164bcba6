"use strict";
// What is shown to take along: files of all rows, and the query. Uses explore-query.js
// and explore-samp.js.

const FILES = { CSV: "csv", VOTable: "votable", FITS: "fits", Parquet: "parquet" };
const LANGUAGES = { ADQL: wholeQuery, SQL: asShell, Python: asPython };
let language = "ADQL";
let rowsBehind = null; // how many there are in all; null where that is not known

function showBehind(state, view, rows) {
  rowsBehind = rows;
  for (const link of byId("downloads").querySelectorAll("a")) {
    link.href = downloadLink(state, view, FILES[link.textContent], rows);
  }
  const text = LANGUAGES[language](state, view, rows);
  byId("query").textContent = text;
  for (const button of byId("languages").querySelectorAll("[aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button.textContent === language));
  }
}

function beginBehind() {
  for (const name of Object.keys(FILES)) {
    byId("downloads").append(make("a", { download: "", class: "button" }, name));
  }
  byId("send-table").addEventListener("click", () => {
    const state = readState();
    const table = downloadLink(state, viewOf(state), FILES.VOTable, rowsBehind);
    const say = (words) => (byId("send-said").textContent = words);
    sendTable(table, `${viewOf(state).name} of ${about.catalogue}`, say);
  });
  for (const name of Object.keys(LANGUAGES)) {
    const button = make("button", { type: "button", "aria-pressed": "false" }, name);
    button.addEventListener("click", () => {
      language = name;
      const state = readState();
      showBehind(state, viewOf(state), rowsBehind);
    });
    byId("languages").append(button);
  }
  byId("languages").append(copyButton(() => byId("query").textContent));
}
