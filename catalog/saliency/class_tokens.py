"""Vision transformers whose features are those of a class token.

Pixels reach it for the last time in the attention of the last block, where it asks and every
token answers. So what a patch contributes through that attention has a closed form, and what
follows acts on one vector, the class token.
"""

from dataclasses import dataclass
from math import isqrt, sqrt
from typing import Any

import torch
from torch import Tensor, nn

from zoolens.catalog.runtime.imports import without
from zoolens.catalog.saliency.vectors import known_steps, push, through

with without("wandb"):
    from timm.layers.attention import Attention
    from timm.layers.mlp import Mlp
    from timm.models.vision_transformer import Block, VisionTransformer


@dataclass(frozen=True)
class ClassTokenTail:
    """What follows `norm1` of the last block where features are those of the class token.

    encoder: the transformer; raised: (N, L + 1, C), the L tokens as that norm puts them
    out, and the class token as it comes into the block. out: the attention's last step; mlp: the
    block's second half, which is added to its input; last: what follows the block.
    """

    encoder: Any
    out: tuple[nn.Module, ...]
    mlp: tuple[nn.Module, ...]
    last: tuple[nn.Module, ...]

    def before(self, images: Tensor) -> Tensor:
        """Images (N, channels, H, W) to raised."""
        encoder = self.encoder
        tokens = encoder._pos_embed(encoder.patch_embed(images))
        tokens = encoder.norm_pre(encoder.patch_drop(tokens))
        for block in encoder.blocks[:-1]:
            tokens = block(tokens)
        return torch.cat([encoder.blocks[-1].norm1(tokens), tokens[:, :1]], dim=1)

    def features(self, raised: Tensor) -> Tensor:
        """Of images, (N, D), from what is raised of them."""
        share, _, _, value = self._attention(raised[:, :-1])
        seen = (share @ value).flatten(1)  # (N, C)
        token = raised[:, -1] + through(self.out, seen)
        return through(self.last, token + through(self.mlp, token))

    def contributions(self, raised: Tensor, method: str) -> Tensor:
        """G (N, D, h, w), what each patch contributes to each feature by "hirescam" or "gradcam".

        A head of the attention sees o = sum_p s_p v_p, s the softmax of q k_p / sqrt(d), q the
        class token's. With a_p the explained token, k_p = K a_p + b_k and v_p = V a_p + b_v,
        the derivative of o along a_p is s_p (V a_p + (v_p - o) q K a_p / sqrt(d)), and "gradcam",
        whose gradient is the mean over the patches, takes the means of s_p and s_p (v_p - o).
        """
        tokens = raised[:, :-1]
        share, query, key, value = self._attention(tokens)
        seen = share @ value  # (N, heads, 1, d)
        key_bias, value_bias = self._biases()
        prefix = self.encoder.num_prefix_tokens
        asked = ((key - key_bias) @ query.transpose(2, 3))[:, :, prefix:] / sqrt(query.shape[-1])
        given = (value - value_bias)[:, :, prefix:]  # (N, heads, h w, d)
        weight = share.transpose(2, 3)[:, :, prefix:]  # (N, heads, h w, 1)
        pull = weight * (value[:, :, prefix:] - seen)
        if method == "gradcam":
            weight, pull = weight.mean(2, keepdim=True), pull.mean(2, keepdim=True)
        moved = (weight * given + pull * asked).movedim(3, 2).flatten(1, 2)  # (N, C, h w)

        change, moved = push(self.out, seen.flatten(1), moved)
        token = raised[:, -1] + change
        added, along = push(self.mlp, token, moved)
        _, found = push(self.last, token + added, moved + along)
        side = isqrt(found.shape[2])
        return found.unflatten(2, (side, side))

    def _attention(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The class token's attention (N, heads, 1, L), its query, and keys and values."""
        attention = self.encoder.blocks[-1].attn
        shape = (3, attention.num_heads, attention.head_dim)
        query, key, value = attention.qkv(tokens).unflatten(2, shape).permute(2, 0, 3, 1, 4)
        query = query[:, :, :1]
        share = (query @ key.transpose(2, 3) * attention.scale).softmax(-1)
        return share, query, key, value

    def _biases(self) -> tuple[Tensor, Tensor]:
        """Of keys and values, (heads, 1, d)."""
        attention = self.encoder.blocks[-1].attn
        bias = attention.qkv.bias
        if bias is None:
            bias = torch.zeros_like(attention.qkv.weight[:, 0])
        _, key, value = bias.unflatten(0, (3, attention.num_heads, 1, attention.head_dim))
        return key, value


def class_token_tail(encoder: Any, layer: str) -> ClassTokenTail | None:
    """What follows the layer of a dotted name; None unless it is known to be a `ClassTokenTail`."""
    if (
        type(encoder) is not VisionTransformer
        or layer != f"blocks.{len(encoder.blocks) - 1}.norm1"
        or encoder.global_pool != "token"
        or not isinstance(encoder.head, nn.Identity)
    ):
        return None
    block = encoder.blocks[-1]
    attention = getattr(block, "attn", None)
    if type(block) is not Block or type(attention) is not Attention or type(block.mlp) is not Mlp:
        return None
    plain = (attention.q_norm, attention.k_norm, attention.norm)
    if attention.gate is not None or not all(isinstance(step, nn.Identity) for step in plain):
        return None
    mlp = block.mlp
    out = known_steps(attention.proj, block.ls1)
    middle = known_steps(block.norm2, mlp.fc1, mlp.act, mlp.norm, mlp.fc2, block.ls2)
    last = known_steps(encoder.norm, encoder.fc_norm)
    if out is None or middle is None or last is None:
        return None
    return ClassTokenTail(encoder, out, middle, last)
