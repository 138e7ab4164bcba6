"""Loaded models give Zoobot's own numbers, by the labels that a tree asks for."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.made.checkpoints import (
    finetuned,
    save,
    save_finetuned_tree,
    save_safetensors,
    save_zoobot_tree,
    zoobot_tree,
)
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.network.model import (
    ZoobotModel,
    check_size,
    concentrations,
    dropout_masks,
    estimates,
    load_model,
)
from zoolens.catalog.trees.published import get_tree


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> ZoobotModel:
    return load_model(str(checkpoint))


@pytest.fixture(scope="module")
def zoobot(checkpoint: Path) -> Any:
    """What was saved: the same seed."""
    return zoobot_tree()


def predicted(model: ZoobotModel, images: torch.Tensor) -> torch.Tensor:
    masks = dropout_masks(0, model.weight.shape[1], model.dropout_rate, 0)
    with torch.inference_mode():
        return concentrations(model, model.encoder(images), masks)[:, 0]


def images(count: int, size: int = 224, channels: int = 3) -> torch.Tensor:
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def blobs(count: int, size: int = 224) -> torch.Tensor:
    """Images of galaxies that become narrower, (N, 3, size, size)."""
    line = torch.linspace(-1, 1, size)
    radii = (line[:, None] ** 2 + line**2).expand(count, 3, size, size)
    return 0.8 * torch.exp(-radii * torch.arange(3.0, 3 + 6 * count, 6)[:, None, None, None])


def test_concentrations_without_dropout_are_zoobots(model: ZoobotModel, zoobot: Any) -> None:
    with torch.inference_mode():
        expected = zoobot(images(2))
    # 100 sigmoid(z) magnifies float32 rounding of z a hundredfold; 1e-4 is promised
    torch.testing.assert_close(predicted(model, images(2)), expected, atol=1e-4, rtol=0)
    assert model.labels == tuple(zoobot.schema.label_cols)


def test_dropout_samples_are_zoobots_with_the_same_masks(model: ZoobotModel, zoobot: Any) -> None:
    masks = dropout_masks(5, 1280, model.dropout_rate, seed=3)
    features = 0.05 * torch.rand(4, 1280, generator=torch.Generator().manual_seed(1))
    found = concentrations(model, features, masks)  # (N, T, L)
    linear_and_sigmoid = zoobot.head[1]
    with torch.inference_mode():
        for t, mask in enumerate(masks):
            expected = linear_and_sigmoid(features * mask)
            torch.testing.assert_close(found[:, t], expected, atol=1e-4, rtol=0)
    assert (found > 1).all()
    assert (found < 101).all()


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("Classifier", {"num_classes": 4}), ("Regressor", {}), ("Regressor", {"unit_interval": True})],
)
@pytest.mark.slow
def test_estimates_without_dropout_are_zoobots(
    tmp_path: Path, kind: str, settings: dict[str, Any]
) -> None:
    theirs = finetuned(kind, **settings)
    ours = load_model(str(save(theirs, tmp_path / "a.ckpt")))
    masks = dropout_masks(0, ours.weight.shape[1], ours.dropout_rate, 0)
    with torch.inference_mode():
        expected = theirs.predict_step({"image": blobs(3)}, 0).reshape(3, -1)
        found = estimates(ours, ours.encoder(blobs(3)), masks)[:, 0]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert expected.std(dim=0).max() > 1e-4, "images are told apart"


@pytest.mark.slow
def test_dropout_samples_are_distributed_as_zoobots(model: ZoobotModel) -> None:
    """Means over many masks against Zoobot's own test-time dropout, within 5 sigma."""
    head = zoobot_tree(test_time_dropout=True).head
    features = 0.05 * torch.rand(1, 1280, generator=torch.Generator().manual_seed(1))
    count = 4000
    torch.manual_seed(11)
    with torch.inference_mode():
        theirs = head(features.expand(count, -1)).double()  # PermaDropout: a mask a row
    masks = dropout_masks(count, 1280, model.dropout_rate, seed=7)
    ours = concentrations(model, features, masks)[0].double()
    assert theirs.std(dim=0).min() > 0.01, "dropout is on"
    error = torch.sqrt((theirs.var(dim=0) + ours.var(dim=0)) / count)
    assert ((theirs.mean(dim=0) - ours.mean(dim=0)).abs() < 5 * error).all()
    # the spread of a spread is about 1 / sqrt(2 count) = 1 %
    torch.testing.assert_close(ours.std(dim=0), theirs.std(dim=0), rtol=0.1, atol=0)


def test_masks_are_seeded_and_scaled() -> None:
    masks = dropout_masks(200, 500, 0.2, seed=1)
    assert torch.equal(masks, dropout_masks(200, 500, 0.2, seed=1))
    assert not torch.equal(masks, dropout_masks(200, 500, 0.2, seed=2))
    assert masks.unique().tolist() == [0.0, 1.25]
    # 100,000 draws: 0.2 within 4 sigma
    assert (masks == 0).double().mean() == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / 1e5))
    assert torch.equal(dropout_masks(0, 3, 0.2, seed=1), torch.ones(1, 3))
    assert torch.equal(dropout_masks(2, 3, 0.0, seed=1), torch.ones(2, 3))


def toy(labels: list[str]) -> ZoobotModel:
    """A model of two features whose row i weighs i."""
    rows = torch.arange(float(len(labels)))
    return ZoobotModel(
        encoder=torch.nn.Identity(),
        weight=rows[:, None].expand(-1, 2).clone(),
        bias=-rows,
        dropout_rate=0.0,
        labels=tuple(labels),
        architecture="toy",
        channels=3,
        view=None,
        sha256="",
    )


def columns(tree: str, campaign: str) -> list[str]:
    suffix = f"-{campaign}" if campaign else ""
    return [
        f"{question.name}{suffix}_{answer}"
        for question in get_tree(tree).questions
        for answer in question.answers
    ]


@pytest.mark.parametrize(
    ("tree", "campaigns", "chosen"),
    [
        ("gzd5", ["dr8", "", "dr5"], "dr5"),
        ("gzd5", ["dr8", ""], ""),
        ("gzd5", ["dr8"], "dr8"),
        ("gzd8", ["dr5"], "dr5"),
        ("gzd8", ["dr5", "dr8"], "dr8"),
    ],
)
def test_columns_of_the_own_campaign_come_first(
    tree: str, campaigns: list[str], chosen: str
) -> None:
    labels = [label for campaign in campaigns for label in columns("gzd5", campaign)]
    made = toy(labels).for_tree(get_tree(tree))
    assert made.labels == get_tree(tree).labels
    expected = [labels.index(label) for label in columns("gzd5", chosen)]
    assert made.weight[:, 0].tolist() == expected
    assert made.bias.tolist() == [-row for row in expected]
    assert made.missing_questions(get_tree(tree)) == ()


@pytest.mark.parametrize("tree", ["gzd12", "gz2"])
def test_other_campaigns_are_no_substitute(tree: str) -> None:
    with pytest.raises(ModelRefused, match="nearest columns: smooth-or-featured-dr5_smooth"):
        toy(columns("gzd5", "dr5")).for_tree(get_tree(tree))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["bar-moon_strong", "bar-moon_weak"], r"not told by its columns: .* --tree FILE\.yaml"),
        (columns("euclid", "euclid"), "--tree euclid"),
    ],
)
def test_whose_model_it_is_is_told(labels: list[str], told: str) -> None:
    with pytest.raises(ModelRefused, match=told):
        toy(labels).for_tree(get_tree("candels"))


def test_a_question_that_lacks_an_answer_is_missing_whole() -> None:
    tree = get_tree("gzd5")
    labels = [label for label in columns("gzd5", "dr5") if label != "bar-dr5_weak"]
    made = toy(labels).for_tree(tree)
    bar = tree.slices[[q.name for q in tree.questions].index("bar")]
    alpha = concentrations(made, torch.ones(1, 2), torch.ones(1, 2))[0, 0]
    missing = torch.zeros(34, dtype=torch.bool)
    missing[bar] = True
    assert torch.equal(alpha.isnan(), missing)
    assert made.missing_questions(tree) == ("bar",)


def test_gz2_models_lack_the_odd_features() -> None:
    tree = get_tree("gz2")
    labels = [label for label in columns("gz2", "gz2") if not label.startswith("odd-feature")]
    assert len(labels) == 30
    assert toy(labels).for_tree(tree).missing_questions(tree) == ("odd-feature",)


def test_columns_stand_in_any_order() -> None:
    tree = get_tree("gzd5")
    labels = columns("gzd5", "dr5")[::-1]
    assert toy(labels).for_tree(tree).weight[:, 0].tolist() == list(range(34))[::-1]


@pytest.fixture(scope="module")
def evo(tmp_path_factory: pytest.TempPathFactory) -> ZoobotModel:
    path = tmp_path_factory.mktemp("evo") / "evo.ckpt"
    return load_model(str(save_zoobot_tree(path, architecture="test_convnext", tree="evo")))


@pytest.mark.slow
@pytest.mark.parametrize("tree", ["gzd5", "gzd8", "gzd12", "gz2"])
def test_gz_evo_models_serve_every_campaign(tree: str, evo: ZoobotModel) -> None:
    whole = evo
    wanted = get_tree(tree)
    made = whole.for_tree(wanted)
    both = [predicted(m, images(1, 160))[0] for m in (whole, made)]
    suffix = {"gzd5": "dr5", "gzd8": "dr8", "gzd12": "dr12", "gz2": "gz2"}[tree]
    for label, value in zip(columns(tree, suffix), both[1], strict=True):
        if label in whole.labels:
            # a matrix product of another width rounds differently
            assert value == pytest.approx(float(both[0][whole.labels.index(label)]), abs=1e-4)
        else:
            assert value.isnan()
    assert made.missing_questions(wanted) == (("odd-feature",) if tree == "gz2" else ())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "settings"),
    [
        ("efficientnet_b0", {"timm_kwargs": {"drop_path_rate": 0.2}}),
        ("convnext_atto", {}),
        ("resnet18", {}),
        ("resnet50", {}),
        # made for 256 pixels; Zoobot takes 224
        ("maxvit_rmlp_pico_rw_256", {"timm_kwargs": {"img_size": 224}}),
    ],
)
def test_encoder_families_give_zoobots_numbers(
    architecture: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    tree = zoobot_tree(architecture, awake=True, **settings)
    model = load_model(str(save(tree, tmp_path / "model.ckpt")))
    check_size(model, 224)
    with torch.inference_mode():
        expected = tree(images(2))
    torch.testing.assert_close(predicted(model, images(2)), expected, atol=1e-4, rtol=0)
    assert model.architecture == architecture
    assert model.channels == 3


@pytest.mark.slow
def test_greyscale_models_take_one_channel(tmp_path: Path) -> None:
    tree = zoobot_tree("test_resnet", awake=True, channels=1)
    model = load_model(str(save(tree, tmp_path / "grey.ckpt")))
    with torch.inference_mode():
        theirs = tree(images(2, channels=1))
    assert model.channels == 1
    torch.testing.assert_close(predicted(model, images(2, channels=1)), theirs, atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["resnet18", "convnext_nano"])
def test_finetuned_trees_are_recognised_by_their_tensors(architecture: str, tmp_path: Path) -> None:
    path = save_finetuned_tree(tmp_path / "tuned.ckpt", architecture, head_dropout_prob=0.4)
    model = load_model(str(path))
    assert model.architecture == architecture
    assert model.dropout_rate == 0.4
    assert model.for_tree(get_tree("gzd5")).missing_questions(get_tree("gzd5")) == ()


@pytest.mark.slow
def test_finetuned_trees_on_unpublished_encoders_are_refused(tmp_path: Path) -> None:
    path = save_finetuned_tree(tmp_path / "tuned.ckpt", "test_resnet")
    with pytest.raises(ModelRefused, match="does not name its encoder"):
        load_model(str(path))


@pytest.mark.slow
def test_half_precision_safetensors_become_float32(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"architecture": "test_resnet"}
    whole = load_model(str(save_safetensors(tmp_path / "whole.safetensors", **settings)))
    half = load_model(str(save_safetensors(tmp_path / "half.safetensors", half=True, **settings)))
    assert {p.dtype for p in half.encoder.parameters()} == {torch.float32}
    assert half.weight.dtype == torch.float32
    with torch.inference_mode():
        expected = zoobot_tree(**settings)(images(2, 160))
    torch.testing.assert_close(predicted(whole, images(2, 160)), expected, atol=1e-4, rtol=0)
    # half precision has 11 bits: a few parts in a thousand of a logit, hundredfold
    torch.testing.assert_close(predicted(half, images(2, 160)), expected, atol=0.5, rtol=0)
    assert half.sha256 != whole.sha256


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architecture_name": "resnet18"}, "do not fit resnet18"),
        ({"architecture_name": "hf_hub:someone/model"}, "unknown to timm"),
        ({"architecture_name": "local-dir:/tmp"}, "unknown to timm"),
        ({"architecture_name": "../../etc/passwd"}, "unknown to timm"),
        ({"architecture_name": "vit_giant_patch14_224"}, "do not fit vit_giant"),
        ({"timm_kwargs": {"img_size": 32}}, "cannot be built with"),
    ],
)
def test_models_that_do_not_fit_are_refused(
    change: dict[str, Any], told: str, tmp_path: Path
) -> None:
    path = save_zoobot_tree(tmp_path / "model.ckpt", architecture="test_resnet")
    held = torch.load(path, weights_only=True)
    held["hyper_parameters"].update(change)
    torch.save(held, path)
    with pytest.raises(ModelRefused, match=told) as caught:
        load_model(str(path))
    assert str(path) in str(caught.value)


@pytest.mark.slow
def test_tensors_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = save_zoobot_tree(tmp_path / "model.ckpt", architecture="test_resnet")
    held = torch.load(path, weights_only=True)
    name = next(name for name in held["state_dict"] if name.startswith("encoder."))
    plain = name.removeprefix("encoder.")

    def refused(state: dict[str, torch.Tensor]) -> str:
        torch.save({**held, "state_dict": state}, path)
        with pytest.raises(ModelRefused) as caught:
            load_model(str(path))
        return str(caught.value)

    state = held["state_dict"]
    assert f"lacks {plain}" in refused({k: v for k, v in state.items() if k != name})
    assert f"{plain} is (7,)" in refused({**state, name: torch.ones(7)})
    assert "has extra besides" in refused({**state, "encoder.extra": torch.ones(1)})
    wide = torch.ones(34, 7)
    assert "head takes 7 features" in refused({**state, "head.1.0.weight": wide})


def test_sizes_an_encoder_does_not_take_are_refused() -> None:
    import timm

    encoder = timm.create_model("test_maxvit", num_classes=0).eval()
    model = replace(toy(["a", "b"]), encoder=encoder, weight=torch.ones(2, 128))
    check_size(model, 160)
    with pytest.raises(ModelRefused, match="does not take images of 224 pixels"):
        check_size(model, 224)


def test_hub_names_need_a_network() -> None:
    with pytest.raises(ModelRefused, match="cannot be reached"):
        load_model("hf_hub:mwalmsley/no-such-model-anywhere")
    with pytest.raises(ModelRefused, match="cannot be fetched"):
        load_model("hf_hub:../../etc")


def test_a_model_whose_features_are_no_numbers_is_refused(model: ZoobotModel) -> None:
    broken = replace(model, encoder=copy.deepcopy(model.encoder))
    with torch.no_grad():
        next(broken.encoder.parameters()).fill_(1e38)
    with pytest.raises(ModelRefused, match="features that are no numbers"):
        check_size(broken, 64)
    check_size(model, 64)
