"""Two ranked lists from which no galaxy is taken twice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Hit:
    """A candidate and its similarity in nat; enough: whether it has the votes wanted of it.

    Candidates with enough votes come before those without.
    """

    galaxy_id: int
    score: float
    enough: bool = True


def fill_places(
    first: Sequence[Hit], second: Sequence[Hit], k: int
) -> tuple[list[Hit], list[Hit], list[tuple[int, int]]]:
    """The best k of each of two lists, none of them in both.

    first, second: best first, 2 k long unless there are no more candidates. Place by place each
    list gives its best that is not taken; if that is the same, the one whose next best loses
    least gives way, the second if they lose the same. Third: the galaxies that were best in both,
    and which list gave way, 0 or 1.
    """
    lists = first, second
    taken: set[int] = set()
    places: tuple[list[Hit], list[Hit]] = [], []
    both = []
    for _ in range(k):
        left = [_left(hits, taken) for hits in lists]
        best = [next(one, None) for one in left]
        if best[0] and best[1] and best[0].galaxy_id == best[1].galaxy_id:
            after = [next(one, None) for one in left]
            losses = [_loss(*pair) for pair in zip(best, after, strict=True)]
            way = 0 if losses[0] < losses[1] else 1
            both.append((best[0].galaxy_id, way))
            best[way] = after[way]
        for place, hit in zip(places, best, strict=True):
            if hit:
                place.append(hit)
                taken.add(hit.galaxy_id)
    return *places, both


def _left(hits: Sequence[Hit], taken: set[int]) -> Iterator[Hit]:
    return iter([hit for hit in hits if hit.galaxy_id not in taken])


def _loss(best: Hit | None, after: Hit | None) -> tuple[bool, bool, float]:
    """What giving way costs: no galaxy at all, one of too few votes, or similarity."""
    if best is None or after is None:
        return True, True, 0.0
    return False, best.enough and not after.enough, best.score - after.score
