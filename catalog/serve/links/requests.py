"""What requests of DataLink, SIA 2 and cone search ask, checked."""

from collections.abc import Sequence
from urllib.parse import unquote

from zoolens.catalog.serve.asking import Cone, Images, Links
from zoolens.catalog.serve.links.regions import number_of, region_of
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.formats import format_of
from zoolens.catalog.serve.tap.parameters import BadRequest, Parameters, rows_of
from zoolens.catalog.store.linked import COLLECTION, PUBLISHER

_MOST = 1_000  # galaxies whose links are asked for at once
_LONGEST = 1_000  # characters of a name
_LEVEL = 3  # calibration level of an image that was made to be looked at
# What images here have no value of, so that no limits of theirs hold one (SIA 2.0, section 2.1).
_INTERVALS = ("BAND", "TIME", "EXPTIME", "FOV", "SPATRES", "SPECRP", "TIMERES")
_WORDS = ("POL", "FACILITY", "INSTRUMENT")


def links_asked(given: Parameters, root: str) -> Links:
    """The galaxies whose links are asked for. Raises `BadRequest` for too many."""
    ids = [one for one in given.values.get("ID", []) if one]
    if len(ids) > _MOST:
        raise BadRequest(f"ID was given {len(ids):,} times; {_MOST:,} are answered at once")
    form = given.get("RESPONSEFORMAT") or "votable/td"
    if form.lower().replace(" ", "") == "application/x-votable+xml;content=datalink":
        form = "votable/td"
    format_of(form)
    return Links(tuple((one, _name_of(one)) for one in ids), root, form)


def cone_asked(given: Parameters, settings: Settings, root: str) -> Cone:
    """The cone that is asked for. Raises `BadRequest` if it is none."""
    numbers = []
    for name in ("RA", "DEC", "SR"):
        text = given.get(name)
        if text is None:
            raise BadRequest(f"{name} is missing; give RA, DEC and SR in degrees")
        numbers.append(number_of(text, name))
    ra, dec, radius = numbers
    if not (0 <= ra <= 360 and -90 <= dec <= 90 and 0 <= radius <= 180):
        raise BadRequest(
            f"RA={ra:g}, DEC={dec:g}, SR={radius:g}; they are 0 to 360, -90 to 90 and 0 to 180 deg"
        )
    verbosity = given.get("VERB") or "2"
    if verbosity not in ("1", "2", "3"):
        raise BadRequest(f"VERB={verbosity[:20]}; it is 1, 2 or 3")
    rows = rows_of(given.get("MAXREC"), settings)
    return Cone((ra, dec, radius) if radius else None, int(verbosity), rows, root)


def images_asked(given: Parameters, settings: Settings, root: str) -> Images:
    """The images that are asked for. Raises `BadRequest` for what is no condition on images."""
    values = {name: [one for one in some if one] for name, some in given.values.items()}
    none = any(values.get(name) for name in _WORDS)
    for name in _INTERVALS:
        for text in values.get(name, []):
            _check_interval(name, text)
            none = True
    for name, held in (("COLLECTION", COLLECTION), ("DPTYPE", "image"), ("CALIB", str(_LEVEL))):
        some = values.get(name, [])
        none = none or (bool(some) and held not in some)
    names = _named(values)
    form = given.get("RESPONSEFORMAT") or "votable/td"
    format_of(form)
    return Images(
        tuple(map(region_of, values.get("POS", []))),
        tuple(names or ()),
        tuple(_mime(one) for one in values.get("FORMAT", [])),
        none or names == [],
        rows_of(given.get("MAXREC"), settings),
        root,
        form,
    )


def _named(values: dict[str, list[str]]) -> list[str] | None:
    """The galaxies that ID and TARGET name together; None if neither was given."""
    ids = values.get("ID") and [*map(_name_of, values["ID"])]
    targets = values.get("TARGET")
    if ids and targets:
        return [name for name in ids if name in targets]
    return ids or targets or None


def _name_of(given: str) -> str:
    """The galaxy's name that an identifier is or holds. Raises `BadRequest` for a long one."""
    if len(given) > _LONGEST:
        raise BadRequest(f"ID={given[:80]}...; a name has {_LONGEST:,} characters at most")
    return unquote(given.removeprefix(PUBLISHER)) if given.startswith(PUBLISHER) else given


def _mime(given: str) -> str:
    plain = given.split(";")[0].strip().lower()
    return "image/fits" if plain == "application/fits" else plain


def _check_interval(name: str, text: str) -> None:
    limits: Sequence[float] = [number_of(one, name) for one in text.split()]
    if not 1 <= len(limits) <= 2 or limits[0] > limits[-1]:
        raise BadRequest(f"{name}={text[:80]}; it is a number, or two, the lower first")
