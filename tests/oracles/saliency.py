"""Saliency maps by pytorch-grad-cam and autograd, one answer and one dropout mask at a time."""

import numpy as np
import torch
from torch import Tensor, nn

from zoolens.catalog.network.model import ZoobotModel


class OneSample(nn.Module):
    """An ordinary Zoobot: encoder, one dropout mask, linear layer, scaled sigmoid.

    The head in float64, and as 101 - 100 s(-z) where z > 0: autograd's s (1 - s) has
    lost its digits where the concentration comes near 101 (in float32 from 100.4 on).
    """

    def __init__(self, model: ZoobotModel, mask: Tensor) -> None:
        super().__init__()
        self.encoder, self.mask = model.encoder, mask.double()
        self.weight, self.bias = model.weight.double(), model.bias.double()

    def forward(self, images: Tensor) -> Tensor:
        logits = (self.encoder(images).double() * self.mask) @ self.weight.T + self.bias
        rising = 100 * torch.sigmoid(-logits.abs())
        return torch.where(logits > 0, 101 - rising, 1 + rising)


def grad_cam_maps(
    model: ZoobotModel, images: Tensor, masks: Tensor, layer: str, method: str
) -> np.ndarray:
    """pytorch-grad-cam's maps before it clips and stretches them: (N, T, A, h, w)."""
    from pytorch_grad_cam import GradCAM, HiResCAM

    module = model.encoder.get_submodule(layer)
    *_, last = module.parameters()  # enough for the layer's output to have a gradient
    last.requires_grad_(True)
    samples = []
    for mask in masks:
        cam = {"hirescam": HiResCAM, "gradcam": GradCAM}[method](OneSample(model, mask), [module])
        recorded = cam.activations_and_grads
        outputs = recorded(images)
        answers = []
        for answer in range(outputs.shape[1]):
            recorded.gradients = []
            outputs[:, answer].sum().backward(retain_graph=True)
            answers.append(
                cam.get_cam_image(
                    images,
                    module,
                    None,
                    recorded.activations[0].numpy(),
                    recorded.gradients[0].numpy(),
                    eigen_smooth=False,
                )
            )
        recorded.release()
        samples.append(np.stack(answers, axis=1))
    return np.stack(samples, axis=1)
