"use strict";
// The view `worst` as `zoolens worst` ranks. The view has of each galaxy its costliest answer, of
// however few votes; where only some answers count, another of the galaxy's may be its costliest.
// Uses explore-query.js and explore-places.js.

/** The question or the label that the state asks for, as [kind, name]; null for all. */
function wantedAnswer(state) {
  const known = about.questions.flatMap(({ name, answers }) => [
    ["question", name],
    ...answers.map(({ label }) => ["label", label]),
  ]);
  return known.find(([kind, name]) => `${kind}:${name}` === state.answer) ?? null;
}

/** That, as a condition. */
function answerCondition(state) {
  const wanted = wantedAnswer(state);
  return wanted && `${wanted[0]} = ${quoted(wanted[1])}`;
}

/** Whether only some answers count, so that the view has another list. */
function isRanked(state, view) {
  return view.name === "worst" && (Number(leastVotes(state, view)) > 0 || answerCondition(state) !== null);
}

/** The command that ranks likewise. */
function ruleOf(state, view) {
  const wanted = wantedAnswer(state);
  const option = wanted ? ` --${wanted[0] === "label" ? "answer" : "question"} ${wanted[1]}` : "";
  return `zoolens worst --min-votes ${Number(leastVotes(state, view)) || 0}${option}`;
}

/** What stands after FROM: of each galaxy the costliest of the answers that count. */
function rankedRows(state, view) {
  const rule = `-- each galaxy by the costliest of the answers that count, as ${ruleOf(state, view)}`;
  return `(\n  ${rule}\n  ${countingRows(state, view)}\n) AS worst`;
}

/** The rows of that. */
function countingRows(state, view) {
  const least = Number(leastVotes(state, view));
  const counts = [least > 0 && `total_votes >= ${least}`, answerCondition(state)].filter(Boolean).join(" AND ");
  const names = view.columns.filter(({ name }) => name !== "rank").map(({ written }) => written);
  const select = `SELECT ${names.join(", ")} FROM`;
  const kind = wantedAnswer(state)?.[0];
  if (kind === "label") return `${select} zoolens.losses\n  WHERE ${counts} AND weighted_ce IS NOT NULL`;
  if (kind === "question") return costliestRows(counts, "", names);
  // most galaxies' costliest answer counts: losses of a whole survey are not to be read for them
  const few = `AND galaxy_id IN (SELECT galaxy_id FROM zoolens.worst WHERE total_votes < ${least})`;
  const others = costliestRows(counts, `\n      ${few}`, names);
  return `${others}\n  UNION ALL\n  ${select} zoolens.worst WHERE ${counts}`;
}

/** Of each galaxy, or of some, the costliest of its losses that count; of equals the first in the tree. */
function costliestRows(counts, some, names) {
  const listed = (table) => names.map((name) => `${table}.${name}`).join(", ");
  return `WITH costliest AS (
    SELECT ${listed("l")}, a.answer_id
    FROM (SELECT * FROM zoolens.losses WHERE ${counts}) AS l
    JOIN (
      SELECT galaxy_id, MAX(weighted_ce) AS most FROM zoolens.losses
      WHERE ${counts}${some}
      GROUP BY galaxy_id
    ) AS m ON m.galaxy_id = l.galaxy_id AND m.most = l.weighted_ce
    JOIN (SELECT DISTINCT label, answer_id FROM zoolens.answers) AS a ON a.label = l.label
  )
  SELECT ${listed("c")} FROM costliest AS c
  JOIN (
    SELECT galaxy_id, MIN(answer_id) AS answer_id FROM costliest GROUP BY galaxy_id
  ) AS f ON f.galaxy_id = c.galaxy_id AND f.answer_id = c.answer_id`;
}

/** The places in that list that its condition asks for; null for all. */
function placesOf(state, view) {
  return isRanked(state, view) ? placesIn(state.where) : null;
}

/** Give rows their place in the list as their rank, where they are in its order. */
function giveRanks(state, view, rows) {
  if (!isRanked(state, view)) return;
  const { name, down } = sorted(state, view);
  const inOrder = (name === "rank" && !down) || (name === "weighted_ce" && down);
  const first = placesOf(state, view)?.first ?? 1;
  rows.forEach((row, place) => (row.rank = inOrder ? first + offsetOf(state) + place : null));
}
