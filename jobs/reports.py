"""Rows of the prediction tables, as Arrow, and what a run of predictions reports."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PredictReport:
    """What a run of predictions did, by a model or from a published table.

    galaxies: predicted now; total: by the run, earlier ones included; rejects: images
    or rows refused or reported now; samples: dropout samples a galaxy, 0 where
    dropout was off, None from a table; missing_questions: those of the tree that are
    not predicted; again: whether the views showed another run before.
    """

    run_id: int
    galaxies: int
    total: int
    rejects: int
    samples: int | None
    missing_questions: tuple[str, ...]
    again: bool

    @property
    def changed(self) -> bool:
        return self.galaxies + self.rejects > 0 or self.again
