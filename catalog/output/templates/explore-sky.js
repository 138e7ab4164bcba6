"use strict";
// The sky map: where the galaxies of the rows are; a circle on it is a filter. Many are counted in
// cells by the server, few are points. Uses explore-query.js and explore-projection.js.

const MOST_POINTS = 2000;
const ACROSS = 3; // degrees of right ascension of a cell of the whole sky
const BANDS = 30; // cells of declination from the equator to a pole, of equal area
const CLICK = 5; // degrees about a place that was only clicked at
let sky = { query: "", cells: [], points: [], step: null };
let drag = null; // where a circle was begun

/** The projection that the state wants. */
function projection(state) {
  const circle = circleOf(state.circle);
  return circle && state.zoom ? lambert(circle, 1.15 * circle.radius) : MOLLWEIDE;
}

// --- asking

const inRows = (state, view) => {
  const rows = source(state, view);
  const bare = rows === `FROM zoolens.${view.name}`;
  if (view.name === "galaxies") return bare ? "dec IS NOT NULL" : `${rows.split("\nWHERE ")[1] ?? ""}`;
  const key = keyOf(view);
  return `${key} IN (SELECT ${key} ${rows})`;
};

function pointsQuery(state, view) {
  return `SELECT TOP ${MOST_POINTS} iauname, ra, dec FROM zoolens.galaxies\nWHERE ${inRows(state, view)}`;
}

/** How large cells are: in degrees of right ascension, and in bands of declination. */
function stepOf(state) {
  const circle = circleOf(state.circle);
  if (!circle || !state.zoom) return { ra: ACROSS, dec: null };
  const size = circle.radius / 40;
  return { ra: size / Math.max(0.02, Math.cos(circle.dec * RADIAN)), dec: size };
}

function cellsQuery(state, view, step) {
  const band = step.dec ? `FLOOR(dec / ${step.dec})` : `FLOOR(${BANDS} * SIN(RADIANS(dec)))`;
  return (
    `SELECT FLOOR(ra / ${step.ra}) AS x, ${band} AS y, COUNT(*) AS n FROM zoolens.galaxies\n` +
    `WHERE ${inRows(state, view)}\nGROUP BY x, y`
  );
}

/** Show where the rows are; rows: how many there are. */
async function showSky(state, view, rows, signal) {
  if (!about.positions || byId("sky").hidden || !byId("sky").open) return;
  const step = stepOf(state);
  const few = rows <= MOST_POINTS;
  const query = few ? pointsQuery(state, view) : cellsQuery(state, view, step);
  if (query !== sky.query) {
    let found;
    try {
      found = await ask(query, { signal });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      byId("sky-words").textContent = error.message;
      return;
    }
    const known = found.filter((one) => (few ? one.dec : one.y) !== null);
    sky = { query, step, cells: few ? [] : known, points: few ? known : [] };
    sayWhere(few ? known.length : known.reduce((sum, one) => sum + one.n, 0));
  }
  drawSky(state);
}

function sayWhere(number) {
  const galaxies = `${number.toLocaleString("en")} ${number === 1 ? "galaxy" : "galaxies"}`;
  const most = Math.max(0, ...sky.cells.map((one) => one.n));
  const cells = most ? `; the darkest cell has ${most.toLocaleString("en")}` : "";
  byId("sky-words").textContent = `${galaxies} with positions${cells}.`;
}

// --- drawing

/** The corners (ra, dec) of a cell. */
function corners({ x, y }, { ra, dec }) {
  const edge = (n) => (dec ? within(n / (90 / dec)) * 90 : Math.asin(within(n / BANDS)) / RADIAN);
  const [west, east] = [x * ra, Math.min(360, (x + 1) * ra)];
  return [[west, edge(y)], [east, edge(y)], [east, edge(y + 1)], [west, edge(y + 1)]];
}

function drawSky(state) {
  const canvas = byId("map");
  const width = canvas.clientWidth;
  if (!width) return;
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round((width / 2) * scale);
  const pen = canvas.getContext("2d");
  pen.scale((canvas.width / 2) * 0.99, (canvas.width / 2) * 0.99);
  pen.translate(1 / 0.99, 0.5 / 0.99);
  const map = projection(state);
  // the plane is 2 wide and 1 high, and y of a canvas grows downwards
  const at = ([ra, dec]) => {
    const [x, y] = map.forward(ra, dec);
    return [x, -y];
  };
  const style = getComputedStyle(canvas);
  const pixel = 2 / width;
  drawGrid(pen, at, style, pixel);
  pen.fillStyle = style.color;
  const most = Math.max(1, ...sky.cells.map((one) => one.n));
  for (const cell of sky.cells) {
    pen.globalAlpha = 0.12 + 0.88 * Math.sqrt(cell.n / most);
    trace(pen, corners(cell, sky.step).map(at));
    pen.fill();
  }
  pen.globalAlpha = sky.points.length > 300 ? 0.6 : 0.9;
  const size = (sky.points.length > 300 ? 1.2 : 2) * pixel;
  for (const { ra, dec } of sky.points) {
    const [x, y] = at([ra, dec]);
    pen.beginPath();
    pen.arc(x, y, size, 0, 2 * Math.PI);
    pen.fill();
  }
  pen.globalAlpha = 1;
  const circle = drag?.circle ?? circleOf(state.circle);
  if (circle) drawLine(pen, around(circle).map(at), style.outlineColor, 2 * pixel);
}

function trace(pen, places) {
  pen.beginPath();
  places.forEach(([x, y], n) => (n ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
}

/** A line that is broken where it leaves the map on one side and comes in on the other. */
function drawLine(pen, places, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  places.forEach(([x, y], n) => {
    const far = n && Math.hypot(x - places[n - 1][0], y - places[n - 1][1]) > 0.4;
    if (!n || far) pen.moveTo(x, y);
    else pen.lineTo(x, y);
  });
  pen.stroke();
}

function drawGrid(pen, at, style, pixel) {
  const line = style.borderTopColor;
  const run = (from, to, step) =>
    Array.from({ length: Math.round((to - from) / step) + 1 }, (_, n) => from + n * step);
  for (const dec of [-60, -30, 0, 30, 60]) {
    drawLine(pen, run(0, 360, 2).map((ra) => at([ra, dec])), line, pixel);
  }
  for (const ra of [0, 60, 120, 180, 240, 300, 360]) {
    drawLine(pen, run(-90, 90, 2).map((dec) => at([ra, dec])), line, pixel);
  }
}

// --- choosing a region

/** The place under the pointer; null outside of the sky. */
function placeOf(event) {
  const box = byId("map").getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width - 0.5) * 2;
  const y = -((event.clientY - box.top) / box.width - box.height / box.width / 2) * 2;
  return projection(readState()).inverse(x / 0.99, y / 0.99);
}

/** The galaxy whose point is under the pointer. */
function pointAt(event) {
  const place = placeOf(event);
  if (!place) return null;
  const map = projection(readState());
  const pixels = (one) => {
    const [[x1, y1], [x2, y2]] = [map.forward(...place), map.forward(one.ra, one.dec)];
    return (Math.hypot(x1 - x2, y1 - y2) * byId("map").clientWidth) / 2;
  };
  const near = sky.points.map((one) => [pixels(one), one.iauname]).sort((a, b) => a[0] - b[0])[0];
  return near && near[0] < 6 ? near[1] : null;
}

const written = ({ ra, dec, radius }) =>
  [ra.toFixed(3), dec.toFixed(3), radius.toPrecision(3)].map(Number).join(",");

function onDrag(event) {
  const place = placeOf(event);
  if (!drag || !place) return;
  const radius = separation(drag.place, place);
  drag.circle = radius > 0.3 * drag.least ? { ra: drag.place[0], dec: drag.place[1], radius } : null;
  drawSky(readState());
}

function onRelease(event) {
  if (!drag) return;
  const { circle, place, least } = drag;
  const name = circle ? null : pointAt(event);
  drag = null;
  if (name) writeState({ galaxy: name });
  else {
    const whole = circle ?? { ra: place[0], dec: place[1], radius: least };
    writeState({ circle: written(whole), page: null });
  }
}

function onPress(event) {
  const place = placeOf(event);
  if (!place || event.button) return;
  const state = readState();
  const before = circleOf(state.circle);
  drag = { place, circle: null, least: before && state.zoom ? before.radius / 4 : CLICK };
  byId("map").setPointerCapture(event.pointerId);
}

/** The same by keyboard: three numbers. */
function onNumbers() {
  const [ra, dec, radius] = ["ra", "dec", "radius"].map((id) => byId(`sky-${id}`).value.trim());
  const text = `${ra},${dec},${radius}`;
  const none = !ra && !dec && !radius;
  const whole = circleOf(text) !== null;
  byId("sky-error").hidden = whole || none || !(ra && dec && radius);
  if (whole) writeState({ circle: text, page: null });
}

function showCircle(state) {
  const circle = circleOf(state.circle);
  for (const id of ["ra", "dec", "radius"]) byId(`sky-${id}`).value = circle ? circle[id] : "";
  byId("sky-zoom").disabled = byId("sky-clear").disabled = !circle;
  byId("sky-zoom").setAttribute("aria-pressed", String(Boolean(circle && state.zoom)));
  byId("sky-error").hidden = true;
}

function beginSky() {
  byId("sky-part").hidden = !about.positions;
  byId("sky-none").hidden = Boolean(about.positions);
  if (!about.positions) return;
  const map = byId("map");
  map.addEventListener("pointerdown", onPress);
  map.addEventListener("pointermove", onDrag);
  map.addEventListener("pointerup", onRelease);
  map.addEventListener("pointercancel", () => (drag = null));
  for (const id of ["ra", "dec", "radius"]) byId(`sky-${id}`).addEventListener("change", onNumbers);
  byId("sky-clear").addEventListener("click", () => {
    writeState({ circle: null, zoom: null, page: null });
  });
  byId("sky-zoom").addEventListener("click", () => {
    writeState({ zoom: readState().zoom ? null : "1" }, "replace");
  });
  byId("sky").addEventListener("toggle", () => dispatchEvent(new Event("state")));
  new ResizeObserver(() => drawSky(readState())).observe(map);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawSky(readState()));
}
