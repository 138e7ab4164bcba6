"use strict";
// The list: what is in it, and in which order. Uses `byId` of page-parts.js.

const galaxies = JSON.parse(byId("data").textContent);
const rows = [...byId("table").tBodies[0].rows]; // row i is of galaxies[i]
let order = galaxies.map((_, place) => place); // places in `galaxies`, as sorted

// --- sorting

const collator = new Intl.Collator("en", { numeric: true });
const AS_TEXT = ["name", "label"];

function sortBy(key, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  const value = (place) => (key === "rank" ? place : Number(galaxies[place][key] ?? NaN));
  const compare = AS_TEXT.includes(key)
    ? (a, b) => sign * collator.compare(galaxies[a][key], galaxies[b][key])
    : (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y); // what is not there comes last
        return x === y ? 0 : sign * (x < y ? -1 : 1);
      };
  order = galaxies.map((_, place) => place).sort((a, b) => compare(a, b) || a - b);
  byId("table").tBodies[0].append(...order.map((place) => rows[place]));
}

function onHeader(button) {
  const cell = button.closest("th");
  const before = cell.getAttribute("aria-sort");
  const first = ["rank", ...AS_TEXT].includes(button.dataset.key) ? "ascending" : "descending";
  const other = before === "ascending" ? "descending" : "ascending";
  const direction = before ? other : first;
  for (const one of cell.parentNode.cells) one.removeAttribute("aria-sort");
  cell.setAttribute("aria-sort", direction);
  sortBy(button.dataset.key, direction);
}

// --- filtering

function filter() {
  const name = byId("search").value.trim().toLowerCase();
  const [kind, wanted] = byId("answer").value.split(/:(.*)/s);
  const least = (id) => Number(byId(id).value) || 0;
  const [leastVotes, leastLoss] = [least("least-votes"), least("least-loss")];
  let left = 0;
  galaxies.forEach((galaxy, place) => {
    const fits =
      (galaxy.name.toLowerCase().includes(name) || galaxy.shown.toLowerCase().includes(name)) &&
      (!kind || galaxy[kind] === wanted) &&
      galaxy.votes >= leastVotes &&
      Number(galaxy.loss) >= leastLoss;
    rows[place].hidden = !fits;
    left += fits;
  });
  byId("none").hidden = left > 0;
  const all = galaxies.length === 1 ? "1 galaxy" : `${galaxies.length} galaxies`;
  byId("count").textContent = left === galaxies.length ? all : `${left} of ${all}`;
}
