"use strict";
// Two equal-area projections of the sky, degrees to a plane of 2 by 1 about (0, 0) and back; right
// ascension grows to the left. Snyder 1987, Map Projections: A Working Manual, pp. 249 and 182.

const RADIAN = Math.PI / 180;
const MIDDLE = 180; // right ascension in the middle of the whole sky
const within = (value) => Math.min(1, Math.max(-1, value));

/** Mollweide's projection of the whole sky. */
const MOLLWEIDE = {
  forward(ra, dec) {
    const wanted = Math.PI * Math.sin(dec * RADIAN);
    let t = dec * RADIAN;
    for (let n = 0; n < 30; n++) {
      const slope = 2 + 2 * Math.cos(2 * t);
      if (slope < 1e-9) break; // a pole
      const change = (2 * t + Math.sin(2 * t) - wanted) / slope;
      t -= change;
      if (Math.abs(change) < 1e-9) break;
    }
    return [(-(ra - MIDDLE) / 180) * Math.cos(t), Math.sin(t) / 2];
  },
  /** Null outside of the sky. */
  inverse(x, y) {
    const t = Math.asin(within(2 * y));
    const away = x / Math.cos(t);
    if (Math.abs(2 * y) > 1 || Math.abs(away) > 1) return null;
    return [MIDDLE - 180 * away, Math.asin(within((2 * t + Math.sin(2 * t)) / Math.PI)) / RADIAN];
  },
};

/** Lambert's azimuthal projection about a place, of which a radius fills the height. */
function lambert({ ra: ra0, dec: dec0 }, radius) {
  const size = 4 * Math.sin((Math.min(radius, 179) * RADIAN) / 2);
  const [sin0, cos0] = [Math.sin(dec0 * RADIAN), Math.cos(dec0 * RADIAN)];
  return {
    forward(ra, dec) {
      const [sin, cos] = [Math.sin(dec * RADIAN), Math.cos(dec * RADIAN)];
      const turn = (ra - ra0) * RADIAN;
      const scale = Math.sqrt(2 / Math.max(1e-9, 1 + sin0 * sin + cos0 * cos * Math.cos(turn)));
      const y = scale * (cos0 * sin - sin0 * cos * Math.cos(turn));
      return [(-scale * cos * Math.sin(turn)) / size, y / size];
    },
    inverse(x, y) {
      const [a, b] = [-x * size, y * size];
      const far = Math.hypot(a, b);
      if (far > 2) return null;
      if (far < 1e-12) return [ra0, dec0];
      const c = 2 * Math.asin(far / 2);
      const dec = Math.asin(within(Math.cos(c) * sin0 + (b * Math.sin(c) * cos0) / far));
      const turn = Math.atan2(a * Math.sin(c), far * cos0 * Math.cos(c) - b * sin0 * Math.sin(c));
      return [(((ra0 + turn / RADIAN) % 360) + 360) % 360, dec / RADIAN];
    },
  };
}

/** Degrees between two places. */
function separation([ra1, dec1], [ra2, dec2]) {
  const up = Math.sin(((dec2 - dec1) * RADIAN) / 2) ** 2;
  const along = Math.sin(((ra2 - ra1) * RADIAN) / 2) ** 2;
  const h = up + Math.cos(dec1 * RADIAN) * Math.cos(dec2 * RADIAN) * along;
  return (2 * Math.asin(Math.min(1, Math.sqrt(h)))) / RADIAN;
}

/** Places (ra, dec) on a circle, all the way round. */
function around({ ra, dec, radius }) {
  const [c, d] = [radius * RADIAN, dec * RADIAN];
  return Array.from({ length: 97 }, (_, n) => {
    const angle = (2 * Math.PI * n) / 96;
    const sin = Math.sin(d) * Math.cos(c) + Math.cos(d) * Math.sin(c) * Math.cos(angle);
    const turn = Math.atan2(
      Math.sin(angle) * Math.sin(c) * Math.cos(d),
      Math.cos(c) - Math.sin(d) * sin,
    );
    return [(((ra + turn / RADIAN) % 360) + 360) % 360, Math.asin(within(sin)) / RADIAN];
  });
}
