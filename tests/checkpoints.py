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
    import lightning

    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.strategy.connect(zoobot_tree(**settings))
    trainer.save_checkpoint(path)
    return path
