"use strict";
// What the gallery of a release and the page of a server share: elements, numbers, the chart.
// Whatever comes from the catalogue is set as text or as an attribute, never as markup.

const byId = (id) => document.getElementById(id);
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
