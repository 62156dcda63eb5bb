"""The mapping network of StyleGAN-XL (Sauer et al., "StyleGAN-XL", SIGGRAPH 2022), whose labels are features of a classifier."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..layers import FullyConnected, normalize_2nd_moment
from ..mapping import LabelConcat, MappingNetwork
from .config import StyleGAN3Config


class XLMapping(MappingNetwork):
    """z [N, z_dim] and label c [N, c_dim] → w [N, w_dim]. ``w_avg`` [c_dim, w_dim] has the mean of w of each class.

    The label picks a row of a table of features, which a small layer brings to the length of z. A c that is not one-hot
    mixes the rows.
    """

    def __init__(self, config: StyleGAN3Config) -> None:
        if not config.c_dim or not config.embed_dim:
            raise ValueError(
                "the mapping of StyleGAN-XL needs classes and features of them: c_dim and embed_dim from 1; "
                f"{config.c_dim} and {config.embed_dim} were given"
            )
        super().__init__(config)
        self.register_buffer("w_avg", torch.zeros(config.c_dim, config.w_dim, dtype=torch.float32, device="cpu"))

    def make_label(self, config: Any) -> int:
        """The table ``embed`` [c_dim, embed_dim] and ``embed_proj``, which makes z_dim numbers of a row."""
        self.embed = LabelConcat(config.c_dim, config.embed_dim)
        self.embed_proj = FullyConnected(config.embed_dim, config.z_dim, activation="lrelu")
        return int(config.z_dim)

    def label(self, c: Tensor) -> Tensor:
        """c [N, c_dim] → [N, z_dim], normalised."""
        return normalize_2nd_moment(self.embed_proj(self.embed(c)))
