"""The models that come with Zoolens: by name, from any folder, and which of them is for a tree.

`models/models.toml` lists them, in order of preference, with what their files do not say of
themselves. Nothing here loads torch.
"""

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoolens.catalog import paths
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import ModelRefused, nearest
from zoolens.catalog.runtime.files import check_file
from zoolens.catalog.trees.telling import rows_of

BUNDLED = "bundled"  # instead of a name: the one for the catalogue's tree
HUB = "hf_hub:"
_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Bundled:
    """A model that comes with Zoolens.

    tree: the one that it was trained on, by name; galaxies: `real` or `simulated`, those of
    `survey`; about: what it is for; limits: what to know of its predictions, beginning with "it",
    empty if nothing; credit: whom to thank; sha256: of its file, as its card has it.
    """

    name: str
    tree: str
    galaxies: str
    survey: str
    about: str
    limits: str
    credit: str
    licence: str
    sha256: str

    @property
    def path(self) -> Path:
        return paths.BUNDLED_MODELS / f"{self.name}{_SUFFIX}"

    @property
    def card(self) -> Path:
        return paths.BUNDLED_MODELS / f"{self.name}.md"

    @property
    def seen(self) -> str:
        """Which galaxies it was trained on, in words."""
        return f"{self.galaxies} galaxies ({self.survey})"


def bundled_models() -> tuple[Bundled, ...]:
    """All of them, in order of preference."""
    listed = tomllib.loads((paths.BUNDLED_MODELS / "models.toml").read_text(encoding="utf-8"))
    return tuple(Bundled(name, **said) for name, said in listed.items())


def bundled_model(name: str) -> Bundled:
    """One by name. Raises `ModelRefused`, with the nearest names, if there is none of it."""
    found = _named(name.removesuffix(_SUFFIX))
    if found is None:
        known = [one.name for one in bundled_models()]
        raise ModelRefused(f"no model {name!r} comes with Zoolens; nearest: {nearest(name, known)}")
    return found


def arguments_of(model: Bundled) -> Mapping[str, Any]:
    """What its file says of its network (`catalog.network.checkpoints`).

    Raises `ModelRefused` if the file is not there, or damaged.
    """
    import safetensors

    check_file(model.path, "model", ModelRefused)
    try:
        with safetensors.safe_open(model.path, framework="numpy") as file:
            arguments: dict[str, Any] = json.loads(file.metadata()["zoobot"])
            return arguments
    except Exception as error:  # whatever the library raises for a file that was cut short
        raise ModelRefused(
            f"{model.path} is damaged ({type(error).__name__}); install Zoolens again"
        ) from None


def labels_of(model: Bundled) -> tuple[str, ...]:
    """The answers that it predicts, as its file calls them."""
    pairs: Mapping[str, Sequence[str]] = arguments_of(model)["question_answer_pairs"]
    return tuple(f"{question}{answer}" for question, answers in pairs.items() for answer in answers)


def name_of(source: str) -> str | None:
    """The name of the bundled model that a source means; None if it means another model.

    `gz2-sdss` always means it; `gz2-sdss.safetensors` only where no such file is in the working
    folder. `./gz2-sdss`, with a folder, is a file.
    """
    if source.endswith(_SUFFIX) and os.path.exists(source):
        return None
    found = _named(source.removesuffix(_SUFFIX))
    return None if found is None else found.name


def located(source: str) -> Path:
    """The file of a model that is on this machine, by its path or the name of a bundled one.

    Raises `ModelRefused` if no regular file is there, with the nearest names.
    """
    name = name_of(source)
    if name is not None:
        source = str(paths.BUNDLED_MODELS / f"{name}{_SUFFIX}")
    elif source == BUNDLED:
        raise ModelRefused(f"{BUNDLED} means a model of a known tree: name one, as in {_listed()}")
    path = Path(source)
    try:
        check_file(path, "model", ModelRefused)
    except ModelRefused as error:
        if path.name != source or path.suffix not in ("", _SUFFIX):
            raise  # which was no name
        known = (BUNDLED, *(one.name for one in bundled_models()))
        raise ModelRefused(
            f"{error}, and none of that name comes with Zoolens; nearest: "
            f"{nearest(source.removesuffix(_SUFFIX), known)}"
        ) from None
    return path


def settled(
    sources: Sequence[str], tree: DecisionTree | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sources of models with a name for `bundled`, and what to say of them, a sentence each.

    tree: the catalogue's, None if it has none yet. Raises `ModelRefused` if no bundled model is of
    that tree, or answers all its questions.
    """
    chosen, said = [], []
    for source in sources:
        if source == BUNDLED:
            model, why = _for(tree)
            said.append(f"bundled: {model.name}, {why}")
            source = model.name
        chosen.append(source)
        said += _remarks(source)
    return tuple(chosen), tuple(said)


def settled_encoder(source: str) -> tuple[str, tuple[str, ...]]:
    """As `settled`, of a model that only its encoder is taken from, whatever its tree."""
    (chosen,), said = settled([source], None)
    return chosen, said[:1] if source == BUNDLED else ()


def _for(tree: DecisionTree | None) -> tuple[Bundled, str]:
    """The first bundled model for a tree, or the first of all; and why that one."""
    models = bundled_models()
    if tree is None:
        model = models[0]
        return model, f"of tree {model.tree}, trained on {model.seen}; the first of {_listed()}"
    able = [
        model
        for model in models
        # also where Zoobot's columns lack a question of it, as gz2's odd-feature
        if model.tree == tree.name or None not in rows_of(labels_of(model), tree)
    ]
    if not able:
        raise ModelRefused(
            f"no bundled model answers tree {tree.name}; there are {_listed()}; give a published "
            "Zoobot by --model CHECKPOINT, or train one: zoolens train FOLDER --encoder bundled"
        )
    model, *others = able
    why = f"before {', '.join(one.name for one in others)}" if others else "the only one"
    return model, f"{why} of tree {tree.name}, trained on {model.seen}"


def _remarks(source: str) -> list[str]:
    """What to know of a model that is bundled, or looks so."""
    known = _named(source.removesuffix(_SUFFIX))
    if known is None:
        return []
    if name_of(source) is None:
        if os.path.samefile(source, known.path):
            return []
        return [f"{source} is the file in this folder; the bundled model is {known.name}"]
    said = [f"{known.name}: {known.limits}"] if known.limits else []
    if os.path.isfile(source):
        said.append(f"{source} is the bundled model; the file of that name here is ./{source}")
    return said


def _named(name: str) -> Bundled | None:
    return next((model for model in bundled_models() if model.name == name), None)


def _listed() -> str:
    return ", ".join(f"{model.name} ({model.tree})" for model in bundled_models())
