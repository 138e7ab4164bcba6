"""Real Zoobot checkpoints with random weights, saved as Lightning saves them."""

from pathlib import Path
from typing import Any


def zoobot_tree(
    architecture: str = "efficientnet_b0", tree: str = "gzd5", seed: int = 0, **settings: Any
) -> Any:
    """A ZoobotTree in eval mode, with a head that tells galaxies apart."""
    import torch
    from galaxy_datasets.shared import label_metadata
    from zoobot.pytorch.estimators.define_model import ZoobotTree

    pairs, dependencies = {
        "gzd5": (label_metadata.decals_dr5_ortho_pairs, label_metadata.decals_ortho_dependencies),
        "gz2": (label_metadata.gz2_ortho_pairs, label_metadata.gz2_ortho_dependencies),
        "evo": (label_metadata.gz_evo_v1_pairs, label_metadata.gz_evo_v1_dependencies),
    }[tree]
    torch.manual_seed(seed)
    model = ZoobotTree(
        output_dim=sum(len(answers) for answers in pairs.values()),
        question_answer_pairs=pairs,
        dependencies=dependencies,
        architecture_name=architecture,
        **settings,
    ).eval()
    with torch.no_grad():
        # a random encoder hardly tells images apart: spread the logits
        model.head[1][0].weight.mul_(20)
        model.head[1][0].bias.uniform_(-3, 0)
    return model


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
    """Save `zoobot_tree(**settings)` in the layout that `catalog.checkpoints` reads."""
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
