"""Real Zoobot checkpoints with random weights, saved as Lightning saves them."""

from pathlib import Path
from typing import Any


def zoobot_tree(
    architecture: str = "efficientnet_b0",
    tree: str = "gzd5",
    seed: int = 0,
    *,
    awake: bool = False,
    **settings: Any,
) -> Any:
    """A ZoobotTree in eval mode; with `awake`, one that tells galaxies apart.

    tree: gzd5, gz2, evo, or the name of a set of labels in `galaxy_datasets`.
    """
    import torch
    from galaxy_datasets.shared import label_metadata
    from zoobot.pytorch.estimators.define_model import ZoobotTree

    stem = {"gzd5": "decals_dr5_ortho", "gz2": "gz2_ortho", "evo": "gz_evo_v1"}.get(tree, tree)
    pairs = getattr(label_metadata, f"{stem}_pairs")
    family = "decals_ortho" if stem.startswith("decals") else stem
    # not every set without suffixes has its dependencies, which only training needs
    dependencies = getattr(label_metadata, f"{family}_dependencies", dict.fromkeys(pairs))
    torch.manual_seed(seed)
    model = ZoobotTree(
        output_dim=sum(len(answers) for answers in pairs.values()),
        question_answer_pairs=pairs,
        dependencies=dependencies,
        architecture_name=architecture,
        **settings,
    ).eval()
    if awake:
        _wake(model, settings.get("channels", 3))
    else:
        with torch.no_grad():
            model.head[1][0].weight.mul_(20)
            model.head[1][0].bias.uniform_(-3, 0)
    return model


def _wake(model: Any, channels: int) -> None:
    """Give random weights the statistics of trained ones.

    Fresh norms let next to nothing through, and all images look alike: each norm gets
    the statistics of its input for a few blobs, and the logits a mean of about -1.5
    and a spread of 0.05. That is a unit of concentration between galaxies; with
    much more, the float32 rounding of Zoobot's own encoder shows above 1e-4.
    """
    import torch

    y, x = torch.meshgrid(torch.linspace(-1, 1, 224), torch.linspace(-1, 1, 224), indexing="ij")
    widths = torch.rand(8, channels, 1, 1) * 0.3 + 0.05
    images = torch.exp(-((x**2 + y**2 * (1 + 3 * torch.rand(8, 1, 1, 1))) / widths**2))
    images = 0.8 * images + 0.1 * torch.rand(8, channels, 224, 224)
    norms = [m for m in model.encoder.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.momentum = 1.0
        model.encoder.train()(images)
        for norm in norms:
            norm.momentum = 0.1
        features = model.encoder.eval()(images)
        linear = model.head[1][0]
        logits = features @ linear.weight.T
        scale = 0.05 / logits.std(dim=0)
        linear.weight.mul_(scale[:, None])
        linear.bias.uniform_(-3, 0).sub_(logits.mean(dim=0) * scale)


def save_zoobot_tree(path: Path, **settings: Any) -> Path:
    """Save `zoobot_tree(**settings)` to `path` through a Lightning trainer."""
    return save(zoobot_tree(**settings), path)


def save_finetuned_tree(path: Path, architecture: str, **settings: Any) -> Path:
    """Save a FinetuneableZoobotTree of GZD-5 around an encoder in memory."""
    import timm
    import torch
    from zoobot.pytorch.training.finetune import FinetuneableZoobotTree
    from zoobot.shared.schemas import decals_dr5_ortho_schema

    torch.manual_seed(0)
    encoder = timm.create_model(architecture, num_classes=0)
    model = FinetuneableZoobotTree(schema=decals_dr5_ortho_schema, encoder=encoder, **settings)
    return save(model, path)


def save_safetensors(path: Path, *, half: bool = False, **settings: Any) -> Path:
    """Save `zoobot_tree(**settings)` in the layout that `catalog.network.checkpoints` reads."""
    import json

    from safetensors.torch import save_file

    model = zoobot_tree(**settings)
    named = ("question_answer_pairs", "architecture_name", "dropout_rate", "timm_kwargs")
    arguments = {name: model.hparams[name] for name in named}
    state = {
        name: tensor.half() if half and tensor.is_floating_point() else tensor
        for name, tensor in model.state_dict().items()
    }
    save_file(state, path, metadata={"zoobot": json.dumps(arguments)})
    return path


def save(model: Any, path: Path) -> Path:
    """Save a Lightning model to `path` as Lightning does."""
    import lightning

    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.strategy.connect(model)
    trainer.save_checkpoint(path)
    return path
