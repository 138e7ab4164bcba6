"""What a checkpoint's pickle may ask for, and what stands in for it, so that nothing is executed.

torch's `weights_only` unpickler calls only what it is allowed to. It is allowed what tensors are
made of, and, by name, stand-ins. For the few objects that hold a model's arguments (Zoobot's
schemas, NumPy's numbers, dictionaries with another name, OmegaConf's nodes) they keep what
those hold. For others that a trainer saves beside them, such as arrays, paths, losses, optimisers
and callbacks, which are never looked at, there is one that keeps nothing. No module that a pickle
names is imported. A name of neither kind is refused before the pickle is read.
"""

import pickletools
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch._utils import IMPORT_MAPPING, NAME_MAPPING

from zoolens.catalog.errors import ModelRefused

StandIns = list[Callable[..., Any] | tuple[Callable[..., Any], str]]

# How to get rid of what a checkpoint cannot be read with; ends a refusal.
_WAY_OUT = (
    "if it is yours, save it again plain, as docs/guide/your-data.md says (Which checkpoints)"
)


class Held:
    """Stands in for an object whose attributes are of interest: they become those of this one."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)


class _Opaque:
    """Stands in for an object, class or function that nobody looks at: it keeps nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


class _Plain:
    """Stands in for a dictionary with another name: a plain one."""

    def __new__(cls, *_: object) -> dict[Any, Any]:  # type: ignore[misc]  # filled by its items
        return {}


class _Dtype:
    """Stands in for `numpy.dtype`: what a NumPy number says of its bytes."""

    def __init__(self, code: str, *_: object) -> None:
        self.code, self.order = code, "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]


def _number(dtype: object, data: object) -> Any:
    """Stands in for NumPy's `scalar`: the Python number, or text, that some bytes are."""
    if not isinstance(dtype, _Dtype) or not _NUMBER.fullmatch(str(dtype.code)):
        raise ModelRefused("it holds a NumPy value that is neither a number nor text")
    kind = np.dtype(f"{'>' if dtype.order == '>' else '<'}{dtype.code}")
    if not isinstance(data, bytes) or len(data) != kind.itemsize:
        raise ModelRefused("it holds a NumPy number of the wrong length")
    return np.frombuffer(data, kind)[0].item()


_NUMBER = re.compile(r"b1|[iu][1248]|f[248]|U[1-9]\d{0,2}")


def _array(*_: object) -> _Opaque:
    """Stands in for `numpy.core.multiarray._reconstruct`, which begins an array."""
    return _Opaque()


_HELD = r"zoobot\.shared\.schemas\.(Schema|Question|Answer)|argparse\.Namespace"
_HELD += r"|jsonargparse\.[\w.]*Namespace"
_HELD += r"|omegaconf\.(dictconfig\.DictConfig|listconfig\.ListConfig|nodes\.\w+Node)"
_PLAIN = r"(lightning|lightning_fabric|pytorch_lightning)\.[\w.]+\.AttributeDict"
_PLAIN += r"|collections\.(defaultdict|Counter)"
_ARRAYS = r"numpy\.(core|_core)\.multiarray\._reconstruct"
_SCALARS = r"numpy\.(core|_core)\.multiarray\.scalar"
# What trainers, optimisers and callbacks leave behind; a class named among hyper-parameters.
_OPAQUE = "|".join(
    [
        r"torch\.(nn\.(functional|modules)|optim|_C\._nn)\.[\w.]+",
        r"(timm|torchmetrics|torchvision|lightning|lightning_fabric|pytorch_lightning)\.[\w.]+",
        r"zoobot\.pytorch\.[\w.]+|omegaconf\.base\.\w*Metadata|typing\.Any",
        r"pathlib\.(_local\.)?(Pure)?(Posix|Windows)?Path",
        r"functools\.partial|datetime\.(datetime|date|timedelta|timezone)",
        r"builtins\.(dict|list|tuple|str|int|float|bool|frozenset)",
        r"numpy\.(ndarray|bool_?|u?int\d*|float\d*|str_)",
    ]
)
_MOST_MADE = 2**30  # characters; a model with an array of a megabyte among its settings has that
_FILLED: tuple[tuple[str, Callable[..., Any]], ...] = (
    (_HELD, Held),
    (_PLAIN, _Plain),
    (_ARRAYS, _array),
    (_SCALARS, _number),
    (r"numpy\.dtype", _Dtype),
    (_OPAQUE, _Opaque),
)
# What tensors are made of, of which torch has its own: narrower than what it allows, which still
# lets a pickle of a hundred bytes ask for a hundred gigabytes (builtins.bytearray).
_TORCHS_OWN = re.compile(
    "|".join(
        [
            r"_codecs\.encode",  # the bytes of a NumPy number
            r"collections\.OrderedDict",
            r"torch\.(device|Size)",
            r"torch\._utils\._rebuild_(tensor_v2|parameter)",
            r"torch\.(storage\.)?(Float|Double|Half|BFloat16|Long|Int|Short|Byte|Bool|Char)Storage",
            r"torch\.(storage\.)?UntypedStorage",
            r"torch\.(float|bfloat|int|uint)\d+",
            r"builtins\.set",
        ]
    )
)


def stand_ins(pickle: bytes) -> StandIns:
    """What stands in for what a pickle asks for, by name, for `torch.serialization.safe_globals`.

    Raises `ModelRefused`, naming it, for anything that is not known to be harmless.
    """
    found: dict[str, Callable[..., Any]] = {}
    longest = calls = 0
    for operation, argument, _ in pickletools.genops(pickle):
        if operation.name in ("STACK_GLOBAL", "INST", "OBJ"):
            raise ModelRefused(f"its pickle uses {operation.name}, which torch never writes")
        longest = max(longest, len(argument) if isinstance(argument, str) else 0)
        calls += operation.name == "REDUCE"
        if calls * longest > _MOST_MADE:  # the same text again and again, as bytes
            raise ModelRefused("its pickle makes more of its texts than any model needs")
        if operation.name != "GLOBAL":
            continue
        name = _as_torch_calls_it(*str(argument).split(" ", 1))
        if _TORCHS_OWN.fullmatch(name):
            continue
        made = next((made for names, made in _FILLED if re.fullmatch(names, name)), None)
        if made is None:
            raise ModelRefused(
                f"its pickle asks for {name}, which no Zoobot model needs; {_WAY_OUT}"
            )
        found[name] = made
    # classes that are built, but that no name asks for
    return [*((made, name) for name, made in found.items()), (_Opaque, "opaque"), (Held, "held")]


def _as_torch_calls_it(module: str, name: str) -> str:
    """A name's name in Python 3: a pickle of protocol 2 has that of Python 2."""
    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return f"{module}.{name}"


def opened(value: Any) -> Any:
    """A value, or the plain one that a node of OmegaConf or a namespace holds; one level of it."""
    if not isinstance(value, Held):
        return value
    held = vars(value)
    if "_val" in held:
        return held["_val"]
    content = held.get("_content", held)
    if isinstance(content, Mapping):
        return {key: _leaf(each) for key, each in content.items()}
    return [_leaf(each) for each in content] if isinstance(content, list) else content


def _leaf(value: Any) -> Any:
    return opened(value) if isinstance(value, Held) and "_val" in vars(value) else value
