"""CLIP with a vision transformer, with the names of the published files.

Layer norms before attention and perceptron, QuickGELU, heads of 64; a picture is the class token behind the last layer norm, a
sentence the token with the largest number (its end), both through a projection.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .tokens import Tokenizer

HEAD = 64  # features of an attention head in every published network
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class ClipConfig:
    """Sizes of a network.

    Attributes:
        dim: of the space that both halves end in.
        side, patch: of pictures and their patches, in pixels.
        vision_width, vision_layers, text_width, text_layers: of the two transformers.
        context, vocabulary: longest sentence in tokens, and how many tokens there are.
        quick: x σ(1.702 x) as in OpenAI's networks, instead of the exact GELU.
    """

    dim: int
    side: int
    patch: int
    vision_width: int
    vision_layers: int
    text_width: int
    text_layers: int
    context: int
    vocabulary: int
    quick: bool = True


class Attention(nn.Module):
    """Self-attention with the weights of q, k and v in one matrix."""

    def __init__(self, width: int, causal: bool) -> None:
        super().__init__()
        self.causal, self.heads = causal, max(1, width // HEAD)
        self.in_proj_weight = nn.Parameter(torch.zeros(3 * width, width, dtype=torch.float32, device="cpu"))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width, dtype=torch.float32, device="cpu"))
        self.out_proj = nn.Linear(width, width, dtype=torch.float32, device="cpu")

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias).view(n, length, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        read = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        out: Tensor = self.out_proj(read.transpose(1, 2).reshape(n, length, width))
        return out


class Perceptron(nn.Module):
    """The two layers behind attention."""

    def __init__(self, width: int, quick: bool) -> None:
        super().__init__()
        self.quick = quick
        self.c_fc = nn.Linear(width, 4 * width, dtype=torch.float32, device="cpu")
        self.c_proj = nn.Linear(4 * width, width, dtype=torch.float32, device="cpu")

    def forward(self, x: Tensor) -> Tensor:
        x = self.c_fc(x)
        out: Tensor = self.c_proj(x * torch.sigmoid(1.702 * x) if self.quick else F.gelu(x))
        return out


class Block(nn.Module):
    """Attention and perceptron, each beside a shortcut."""

    def __init__(self, width: int, causal: bool, quick: bool) -> None:
        super().__init__()
        self.attn, self.mlp = Attention(width, causal), Perceptron(width, quick)
        self.ln_1, self.ln_2 = _norm(width), _norm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class Transformer(nn.Module):
    """Blocks one after the other, [N, length, width] → the same."""

    def __init__(self, width: int, layers: int, causal: bool, quick: bool) -> None:
        super().__init__()
        self.resblocks = nn.Sequential(*(Block(width, causal, quick) for _ in range(layers)))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.resblocks(x)
        return out


class Vision(nn.Module):
    """Prepared pictures [N, 3, side, side] → [N, dim]."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        width, length = config.vision_width, (config.side // config.patch) ** 2 + 1
        self.conv1 = nn.Conv2d(3, width, config.patch, config.patch, bias=False, dtype=torch.float32, device="cpu")
        self.class_embedding = nn.Parameter(torch.zeros(width, dtype=torch.float32, device="cpu"))
        self.positional_embedding = nn.Parameter(torch.zeros(length, width, dtype=torch.float32, device="cpu"))
        self.ln_pre, self.ln_post = _norm(width), _norm(width)
        self.transformer = Transformer(width, config.vision_layers, causal=False, quick=config.quick)
        self.proj = nn.Parameter(torch.zeros(width, config.dim, dtype=torch.float32, device="cpu"))

    def forward(self, x: Tensor) -> Tensor:
        patches = self.conv1(x).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(x), 1, -1)
        tokens = self.ln_pre(torch.cat([first, patches], dim=1) + self.positional_embedding)
        out: Tensor = self.ln_post(self.transformer(tokens)[:, 0]) @ self.proj
        return out


class Clip(nn.Module):
    """Both halves; a `Pair` of `encoder`.

    Args:
        config: the sizes.
        tokenizer: of the sentences; None where no vocabulary was found, then only tokens and pictures can be given.
    """

    def __init__(self, config: ClipConfig, tokenizer: Tokenizer | None = None) -> None:
        super().__init__()
        self.config, self.tokenizer, self.dim, self.side = config, tokenizer, config.dim, config.side
        self.visual = Vision(config)
        self.transformer = Transformer(config.text_width, config.text_layers, causal=True, quick=config.quick)
        self.token_embedding = nn.Embedding(config.vocabulary, config.text_width, dtype=torch.float32, device="cpu")
        self.positional_embedding = nn.Parameter(
            torch.zeros(config.context, config.text_width, dtype=torch.float32, device="cpu")
        )
        self.ln_final = _norm(config.text_width)
        self.text_projection = nn.Parameter(
            torch.zeros(config.text_width, config.dim, dtype=torch.float32, device="cpu")
        )
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07), dtype=torch.float32, device="cpu"))

    def tokens(self, numbers: Tensor) -> Tensor:
        """Tokens [N, context] → [N, dim]."""
        x = self.token_embedding(numbers) + self.positional_embedding
        x = self.ln_final(self.transformer(x))
        rows = torch.arange(len(x), dtype=torch.int64, device=x.device)
        out: Tensor = x[rows, numbers.argmax(dim=1)] @ self.text_projection
        return out

    def sentences(self, given: Sequence[str]) -> Tensor:
        """[N, dim], of any length. ValueError for a sentence that is too long."""
        numbers = torch.tensor(
            [self.words.padded(text, self.config.context) for text in given],
            dtype=torch.int64,
            device=self.text_projection.device,
        )
        return self.tokens(numbers)

    def pictures(self, x: Tensor, prepared: bool = False) -> Tensor:
        """[N, 3, H, W] in [-1, 1] → [N, dim], of any length; differentiable.

        Args:
            prepared: they are `side` pixels and go in as they are, as in the losses of StyleCLIP.
        """
        out: Tensor = self.visual(x if prepared else prepare(x, self.side))
        return out

    def known(self, sentence: str) -> tuple[str, ...]:
        """All words: what such a network knows is not written down anywhere."""
        return tuple(sentence.split())

    @property
    def words(self) -> Tokenizer:
        """The tokenizer. FileNotFoundError where there is none."""
        if self.tokenizer is None:
            from .vocabulary import MISSING

            raise FileNotFoundError(MISSING)
        return self.tokenizer


def _norm(width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, eps=1e-5, dtype=torch.float32, device="cpu")


def prepare(x: Tensor, side: int) -> Tensor:
    """Pictures [N, 3, H, W] in [-1, 1] as CLIP was trained on: the shorter side to `side` (bicubic), the middle, normalised."""
    height, width = x.shape[-2:]
    x = (x.clamp(-1, 1) + 1) / 2
    if (height, width) != (side, side):
        scale = side / min(height, width)
        size = (max(side, round(height * scale)), max(side, round(width * scale)))
        x = F.interpolate(x, size=size, mode="bicubic", align_corners=False, antialias=True).clamp(0, 1)
        top, left = (size[0] - side) // 2, (size[1] - side) // 2
        x = x[..., top : top + side, left : left + side]
    mean, std = (x.new_tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (x - mean) / std


def pooled(x: Tensor) -> Tensor:
    """Pictures [N, C, S, S] → [N, C, 224, 224] as StyleCLIP's loss does it: seven times as large, then means of S/32 pixels.

    Two matrix products in place of a picture of 7 S pixels. They go on into the network as they are, neither clamped nor
    normalised: `pictures(..., prepared=True)`.

    Raises:
        ValueError: S is no multiple of 32, or the pictures are no squares.
    """
    size = x.shape[-1]
    if x.ndim != 4 or x.shape[-2] != size or size % 32:
        raise ValueError(f"squares whose side is a multiple of 32 are needed, [N, C, S, S]; {list(x.shape)} was given")
    window = size // 32
    large = torch.arange(7 * size, dtype=torch.int64, device=x.device)
    shares = torch.zeros(224, size, dtype=x.dtype, device=x.device)
    shares.index_put_((large // window, large // 7), x.new_full((len(large),), 1 / window), accumulate=True)
    return shares @ x @ shares.T
