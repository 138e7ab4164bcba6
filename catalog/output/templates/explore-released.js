"use strict";
// A galaxy of a release, which has tables alone: what they say of it. Uses explore-query.js.

const asNumber = (value) => (value === "inf" ? Infinity : (value ?? null));

/** The rows of a galaxy in a table, by label; none where there is no such table. */
async function rowsOf(table, names, name, signal) {
  const view = about.views.find((one) => one.name === table);
  const columns = names.map((one) => view && columnOf(view, one)).filter(Boolean);
  if (!columns.length) return new Map();
  const listed = columns.map(({ written }) => written).join(", ");
  const rows = await ask(`SELECT ${listed} FROM zoolens.${table} WHERE iauname = ${quoted(name)}`, { signal });
  return new Map(rows.map((row) => [row.label, row]));
}

/** What a galaxy's votes.json would say, as far as the tables do. */
async function releasedGalaxy(name, signal) {
  const [known, votes, predictions, losses] = await Promise.all([
    rowsOf("galaxies", ["iauname"], name, signal),
    rowsOf("votes", ["label", "count", "total", "fraction"], name, signal),
    rowsOf("predictions", ["label", "fraction", "fraction_lo", "fraction_hi", "reach"], name, signal),
    rowsOf("losses", ["label", "observed", "predicted", "ce", "total_votes"], name, signal),
  ]);
  if (!known.size) throw new Refused(`There is no galaxy ${name} in this release.`, 404);
  const questions = about.questions.map((question) => {
    const rows = question.answers.map(({ name: answer, label }) => {
      const [vote, prediction, loss] = [votes, predictions, losses].map((rows) => rows.get(label) ?? {});
      return {
        answer,
        total: vote.total ?? loss.total_votes ?? null,
        reach: prediction.reach ?? null,
        count: vote.count ?? null,
        observed: vote.fraction ?? loss.observed ?? null,
        predicted: prediction.fraction ?? loss.predicted ?? null,
        lo: prediction.fraction_lo ?? null,
        hi: prediction.fraction_hi ?? null,
        loss: asNumber(loss.ce),
      };
    });
    return { question: question.name, votes: rows[0].total, reach: rows[0].reach, answers: rows };
  });
  const made = (rows) => (rows.size ? 0 : null); // a release tells no run
  return { questions, image: null, predict_run: made(predictions), score_run: made(losses) };
}
