"""The view: how a stored image becomes what a model was trained to see.

The geometry is a deterministic configuration of `galaxy_datasets.transforms`, by
name, and is recorded with every run that shows images to a model.
"""

from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.images.zoom import zoomed

if TYPE_CHECKING:
    import torch  # which takes seconds, and a view can be named without

# The configurations of galaxy_datasets that draw nothing at random.
VIEW_NAMES = ("minimal", "fast")

# How far the configuration "minimal" magnifies an image.
MINIMAL_ZOOM = 1.2


@dataclass(frozen=True)
class View:
    """A named view of `galaxy_datasets.transforms`.

    name: "minimal" (the central 1/zoom of the image, resized) or "fast" (the central
    `size` pixels, not resized). size: pixels a side, for both. greyscale: one
    channel instead of three, for models trained on one. grey_as_colour: images of one
    channel are shown to models of three, in each of them, and not refused. zoom: 1.2 in
    galaxy_datasets; more where surveys leave much sky about a galaxy. Interpolation is
    bilinear, antialiased, as in both configurations. Raises `CatalogError` for another name,
    size or zoom.
    """

    name: str = "minimal"
    size: int = 224
    greyscale: bool = False
    grey_as_colour: bool = False
    zoom: float = MINIMAL_ZOOM

    def __post_init__(self) -> None:
        if self.name not in VIEW_NAMES:
            raise CatalogError(f"no view {self.name!r}; choose one of {', '.join(VIEW_NAMES)}")
        if not 16 <= self.size <= 2048:
            raise CatalogError(f"a view of {self.size} pixels a side; choose 16 to 2048")
        if not 1 <= self.zoom <= 16:
            raise CatalogError(f"a zoom of {self.zoom}; choose 1, the whole image, to 16")
        if self.name == "fast" and self.zoom != MINIMAL_ZOOM:
            raise CatalogError('the view "fast" shows pixels as they are; leave out the zoom')

    @property
    def told(self) -> str:
        """What of an image it shows, in words."""
        zoom = f", zoom {self.zoom:.4g}" if self.name == "minimal" else ""
        return f"{self.name} of {self.size} pixels{zoom}"

    def config(self) -> dict[str, Any]:
        """The arguments that rebuild the view, `View(**config)`; JSON-able."""
        config = asdict(self)
        if not self.grey_as_colour:  # as it is nearly always
            del config["grey_as_colour"]
        config["zoom"] = float(self.zoom)
        if self.zoom == MINIMAL_ZOOM:
            del config["zoom"]
        return config

    @classmethod
    def from_config(cls, config: object) -> "View":
        """The view of a `config` from a file that cannot be trusted.

        Raises `CatalogError` if it is not one of a view.
        """
        kinds = {"name": str, "size": int, "greyscale": bool}
        more = {"grey_as_colour": bool, "zoom": float}
        if (
            not isinstance(config, dict)
            or not config.keys() >= kinds.keys()
            or any(type(value) is not (kinds | more).get(k) for k, value in config.items())
        ):
            raise CatalogError(f"{str(config)[:80]!r} is no view: it has {', '.join(kinds)}")
        return cls(**config)

    def suited(self, image: Image.Image) -> Image.Image:
        """The image if the view can be made of it, in RGB if the model sees colour.

        image: RGB or L. Raises `ImageRefused` for one channel where the model takes three,
        unless that is asked for.
        """
        if image.mode == "RGB" or self.greyscale:
            return image
        if not self.grey_as_colour:
            raise ImageRefused(
                "wrong mode: one channel, and the model takes three; --grey-as-colour shows it "
                "the one in each"
            )
        return image.convert("RGB")

    def prepare(self, image: Image.Image) -> "torch.Tensor":
        """The model's input for an image, (C, H, W) float32 in 0..1.

        image: RGB or L. Raises `ImageRefused` as `suited` does.
        """
        tensor: torch.Tensor = _transform(self)(self.suited(image))
        return tensor

    def display(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """The same pixels for the eye, (H, W, 3), whatever channels image and model have."""
        return _for_the_eye(
            View(self.name, self.size, zoom=self.zoom).prepare(image.convert("RGB"))
        )

    def both(self, image: Image.Image) -> "tuple[torch.Tensor, npt.NDArray[np.uint8]]":
        """What `prepare` and `display` give, in half the time if the model sees colour."""
        prepared = self.prepare(image)
        return prepared, self.display(image) if self.greyscale else _for_the_eye(prepared)


class ColourAndGrey(View):
    """A view in colour, and after it the same in grey, (4, H, W): for models of either."""

    def prepare(self, image: Image.Image) -> "torch.Tensor":
        """Both models' input for an image, (4, H, W) float32 in 0..1; raises as `suited` does."""
        import torch

        views = (
            View(self.name, self.size, grey, self.grey_as_colour, self.zoom)
            for grey in (False, True)
        )
        return torch.cat([view.prepare(image) for view in views])

    def both(self, image: Image.Image) -> "tuple[torch.Tensor, npt.NDArray[np.uint8]]":
        """What `prepare` and `display` give."""
        prepared = self.prepare(image)
        return prepared, _for_the_eye(prepared[:3])


def _for_the_eye(tensor: "torch.Tensor") -> npt.NDArray[np.uint8]:
    pixels: npt.NDArray[np.uint8] = (
        tensor.mul(255).round().byte().permute(1, 2, 0).contiguous().numpy()
    )
    return pixels


@lru_cache
def _transform(view: View) -> Any:
    from galaxy_datasets import transforms
    from torchvision.transforms.v2 import RandomAffine

    config = {
        "minimal": transforms.minimal_view_config,
        "fast": transforms.fast_view_config,
    }[view.name]()
    config.output_size = view.size
    config.greyscale = view.greyscale
    if view.name == "minimal":
        config.random_affine.scale = (view.zoom, view.zoom)
    composed = transforms.get_galaxy_transform(config)
    steps = composed.transforms
    for place, step in enumerate(steps):
        if isinstance(step, RandomAffine):
            # the only scale that it can draw, rounded to float32 as it would be
            (scale,) = set(step.scale)
            steps[place] = partial(zoomed, scale=float(np.float32(scale)))
    return composed
