"use strict";
// The view of one galaxy. Uses explore-state.js.

function showGalaxy(name, section) {
  section.replaceChildren(make("h2", { tabindex: -1 }, name));
  section.firstChild.focus();
}

function hideGalaxy() {}
