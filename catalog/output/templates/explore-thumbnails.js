"use strict";
// Small images of the galaxies of the rows, fetched where a reader looks, a few at a time and never
// before what was asked of the server: a browser has six connections to it. Uses explore-state.js.

const AT_ONCE = 2;
const wanted = new Set(); // images in sight that are not fetched yet, in their order
let fetching = 0;
let waits = true; // while the server is asked for rows

const inSight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) wanted.add(target);
    else wanted.delete(target);
  }
  fetchNext();
});

/** The place of a galaxy's image. */
function thumbnail(name) {
  const image = make("img", { alt: "", width: 40, height: 40 });
  image.dataset.address = `galaxies/${encodeURIComponent(name)}/image.png`;
  inSight.observe(image);
  return image;
}

function fetchNext() {
  for (const image of wanted) {
    if (waits || fetching === AT_ONCE) return;
    wanted.delete(image);
    inSight.unobserve(image);
    fetching += 1;
    image.addEventListener("load", onFetched);
    image.addEventListener("error", () => {
      image.replaceWith(make("span", { class: "blank" }));
      onFetched();
    });
    image.src = image.dataset.address;
  }
}

function onFetched() {
  fetching -= 1;
  fetchNext();
}

function holdThumbnails() {
  waits = true;
}

function letThumbnails() {
  waits = false;
  fetchNext();
}

/** Forget the images of rows that are not shown any more. */
function forgetThumbnails() {
  inSight.disconnect();
  wanted.clear();
}
