"""JSON and tables of what was made."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoolens.catalog.formats.columns import column
from zoolens.catalog.paths import subject_stem
from zoolens.catalog.serve.products.subject import Made, Subject
from zoolens.catalog.serve.tap.formats import Answer, format_of

JSON = "application/json"
_PLACES = 6  # significant digits, more than any of these numbers is known to


def as_json(subject: Subject, what: str, content: dict[str, Any]) -> Made:
    """Something of a galaxy as JSON; numbers that are none become null, infinite ones text."""
    body = json.dumps(plain(content), ensure_ascii=False, allow_nan=False).encode()
    return Made(JSON, f"{subject_stem(subject.name)}-{what}.json", body + b"\n")


def as_table(
    subject: Subject,
    what: str,
    content: dict[str, Any],
    rows: pa.Table,
    form: str | None,
    scratch: Path,
) -> Made:
    """Rows about a galaxy, and what else is to be said: as JSON, or in a format of TAP's."""
    if form is None or form.lower() in ("json", JSON):
        return as_json(subject, what, {**content, "rows": rows.to_pylist()})
    written = format_of(form)
    fields = [column(f.name, f.type, _WORDS.get(f.name, "")) for f in rows.schema]
    notes: Sequence[str] = content.get("notes", ())
    infos = {name: str(value) for name, value in content.items() if isinstance(value, str)}
    infos |= {f"NOTE_{number}": note for number, note in enumerate(notes, start=1)}
    batches = rows.cast(pa.schema(fields)).combine_chunks().to_batches()
    answer = Answer(pa.schema(fields), iter(batches), len(rows), infos)
    body = b"".join(written.write(answer, scratch))
    return Made(written.mime, f"{subject_stem(subject.name)}-{what}.{written.suffix}", body)


_WORDS = {
    "counterpart": "what the galaxy is to the one that was asked for",
    "iauname": "IAU name of the galaxy",
    "score": "similarity of vote fractions, nat, 0 or less",
    "votes": "volunteers who were asked the question",
    "observed": "fraction of the votes for the answer",
    "predicted": "expected fraction of the votes for the answer",
    "asked": "fraction of the answer that was asked for",
    "off": "largest difference of a fraction of the question from what was asked for",
    "allowed": "how large that difference may be of one that is near",
    "close": "whether it is near what was asked for",
    "others": "the question's other answers, observed/predicted",
    "alike": "in which fractions the galaxy is like the one that was asked for",
}


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return float(f"{value:.{_PLACES}g}")
    return value
