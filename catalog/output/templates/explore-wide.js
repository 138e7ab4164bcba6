"use strict";
// A table that is wider than its frame: how many columns are out of sight, and the way to them.
// Uses explore-state.js.

/** What the table scrolls in: its own frame, or that of all rows where this has scroll bars. */
const frame = () => (getComputedStyle(byId("wide")).overflowX === "visible" ? byId("list") : byId("wide"));

/** Say how many columns are out of sight, on a button that leads to them. */
function sayOutside() {
  const edge = frame().getBoundingClientRect().right + 1;
  const heads = [...byId("head").querySelectorAll("th")].filter((one) => one.offsetWidth);
  const outside = heads.filter((one) => one.getBoundingClientRect().right > edge).length;
  byId("further").hidden = outside === 0;
  byId("further").textContent = `${outside} more ${outside === 1 ? "column" : "columns"} \u2192`;
}

function goFurther() {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  frame().scrollBy({ left: 0.6 * frame().clientWidth, behavior: calm ? "auto" : "smooth" });
}

function beginWide() {
  for (const one of [byId("list"), byId("wide")]) one.addEventListener("scroll", sayOutside);
  const watched = new ResizeObserver(sayOutside);
  for (const one of [byId("list"), byId("table")]) watched.observe(one);
  byId("further").addEventListener("click", goFurther);
}
