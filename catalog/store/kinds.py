"""The kinds of rejects: what can be wrong with a row, a value or an image, and what became of it.

A reason reads `kind: details`. The kind is kept beside it, so that rejects can be grouped.
"""

from typing import NamedTuple

OTHER = "other"


class Kind(NamedTuple):
    """A kind of reject.

    name: how its reasons begin; means: in words; refused: False if what it is about was kept
    and is only remarked on.
    """

    name: str
    means: str
    refused: bool = True


_REFUSED = (
    # rows of tables
    ("missing identifier", "row without a name of its galaxy, or image without one"),
    ("unusable identifier", "row whose name is no name, or is in floating point"),
    ("duplicated identifier", "row of a galaxy that an earlier row has; that one counts"),
    (
        "unknown galaxy",
        "row of predictions or own columns for a galaxy that the catalogue does not have",
    ),
    ("ragged row", "row with more or fewer fields than the header"),
    ("position out of range", "row whose ra or dec is no position, or one without the other"),
    ("no position", "row or image of a galaxy that a survey does not have, and without a place"),
    ("missing count", "row that has some counts of a question, or its total, but not all counts"),
    ("unreadable count", "row with a count that is no number"),
    ("negative count", "row with a count below 0"),
    ("absurd count", "row with a count above a million"),
    ("fractional count", "row with a count that is not whole, in a table of unweighted votes"),
    ("count above its total", "row with more votes for an answer than on the question"),
    ("no predictions", "row of predictions without any"),
    ("missing concentration", "row with concentrations of some answers to a question only"),
    ("unreadable concentration", "row with a concentration that is no number"),
    ("concentration outside", "row with a concentration out of range"),
    ("too many samples", "row with more samples than are read"),
    ("uneven samples", "row with more samples of some answers than of others"),
    ("unreadable fraction", "row with a predicted fraction that is no number"),
    ("fraction outside", "row with a predicted fraction below 0 or above 1"),
    ("unreadable information", "row with a mutual information that is no number"),
    ("information outside", "row with a mutual information that cannot be"),
    # columns
    ("missing column", "question that the table has in part, and which is not read"),
    ("unknown column", "column that might be an answer, and is not read"),
    # images
    ("not an image", "file beside the images that is none"),
    ("unreadable folder", "folder that cannot be looked into"),
    ("unreadable file", "tar or Parquet file that cannot be read"),
    ("unreadable tar", "the rest of a tar after a damaged place"),
    ("unsafe member", "member of a tar that is no plain file, or whose name leads elsewhere"),
    ("image without votes", "image of no galaxy of the catalogue"),
    ("image without galaxy", "image of no galaxy of the table, which has no votes"),
    ("second image", "image of a galaxy that has one in the same source"),
    ("missing image", "image that is not where it was, or was never there"),
    ("changed image", "image that is not the one that was ingested"),
    ("too large an image", "image of too many bytes or pixels"),
    ("truncated image", "image that ends early"),
    ("unreadable image", "image that cannot be decoded"),
    ("wrong mode", "image that would be seen otherwise: transparent, CMYK, 16 bit, animated, …"),
    ("wrong shape", "FITS image that is neither one plane nor has g, r, z, or not only one image"),
    ("bad pixels", "FITS image with many pixels that are no numbers, or a band without data"),
    ("unusable image", "image of which a model makes no numbers"),
    ("no finite map", "image on which an explained model overflows"),
    ("failed part", "galaxy of a part that no worker could compute"),
)
_KEPT = (
    ("votes without image", "galaxy that is kept without an image"),
    ("opaque alpha", "image whose alpha channel hides nothing and is dropped"),
    ("palette", "image whose colours are looked up in its palette"),
    ("one channel", "grey image: for models of one channel, and of three if they are asked to"),
    ("rotated image", "image that is turned as its EXIF data say, as in browsers"),
    ("filled pixels", "FITS image with a few pixels that are no numbers, shown as sky"),
    ("chosen bands", "FITS image of more bands than g, r, z, which are shown"),
    ("moved image", "image that is not where the table says, but where one of its name lies"),
    ("galaxy without image", "galaxy of a table without votes that is kept without an image"),
    ("fill value", "number that programs write for a missing one, and that is taken as missing"),
    (
        "unread column",
        "columns that look like answers and are not of the tree, and their votes",
    ),
    (
        "respelt column",
        "columns with underscores for the tree's hyphens, or other capitals, which are read",
    ),
    ("contradictory total", "stated total that is not the sum of the counts, which are kept"),
    ("contradictory fraction", "stated fractions that the counts, or their sum, contradict"),
    ("contradictory position", "position apart from the catalogue's, which is kept"),
    ("answers outside the tree", "question that some galaxies were asked with other answers"),
)
KINDS = (
    *(Kind(name, means) for name, means in _REFUSED),
    *(Kind(name, means, refused=False) for name, means in _KEPT),
    Kind(OTHER, "anything else"),
)

# A condition on a column `kind`, in SQL.
IS_REFUSED = "kind NOT IN ({})".format(", ".join(f"'{name}'" for name, _ in _KEPT))


def kind_of(reason: str) -> str:
    """The name of a reason's kind; `OTHER` if it begins as none does."""
    return next((kind.name for kind in KINDS if reason.startswith(kind.name)), OTHER)


def is_refused(kind: str) -> bool:
    """Whether what rejects of a kind are about was left out."""
    return kind not in {name for name, _ in _KEPT}
