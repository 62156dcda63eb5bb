"""Mapping networks: from a latent z, and a label, to w."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .config import FamilyConfig
from .layers import FullyConnected, normalize_2nd_moment
from .style_based import check_rows


class LabelConcat(nn.Module):
    """A row of numbers for each class: c [N, classes] → [N, features], without bias or scale."""

    def __init__(self, classes: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, features, dtype=torch.float32, device="cpu"))

    def forward(self, c: Tensor) -> Tensor:
        """The rows of the classes, mixed by c."""
        return c @ self.weight


class MappingNetwork(nn.Module):
    """StyleGAN2's: z [N, z_dim] and label c [N, c_dim] → w [N, w_dim]. ``w_avg`` [w_dim] is the mean of w.

    ``config.label`` says how a label comes in: "separate" normalises z and the embedded label on their own (ADA, StyleGAN3),
    "joint" their concatenation (StyleGAN2 before ADA).
    """

    def __init__(self, config: FamilyConfig, *, joint: bool | None = None) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.num_layers = config.z_dim, config.c_dim, config.mapping_layers
        self.joint = getattr(config, "label", "separate") == "joint" if joint is None else joint
        self.label_dim = self.make_label(config) if config.c_dim else 0
        widths = [config.z_dim + self.label_dim]
        widths += [config.mapping_width or config.w_dim] * (config.mapping_layers - 1) + [config.w_dim]
        for i in range(config.mapping_layers):
            self.add_module(f"fc{i}", self.make_layer(widths[i], widths[i + 1], config.mapping_lr))
        self.register_buffer("w_avg", torch.zeros(config.w_dim, dtype=torch.float32, device="cpu"))

    def make_label(self, config: FamilyConfig) -> int:
        """Add the layers that take the label; returns the length of what they make."""
        if self.joint:
            self.concat = LabelConcat(config.c_dim, config.z_dim)
            return int(config.z_dim)
        width = int(config.label_width or config.w_dim)
        self.embed: nn.Module = FullyConnected(config.c_dim, width)
        return width

    def make_layer(self, inputs: int, outputs: int, lr: float) -> nn.Module:
        """One fully connected layer with its activation."""
        return FullyConnected(inputs, outputs, activation="lrelu", lr_multiplier=lr)

    def label(self, c: Tensor) -> Tensor:
        """c [N, c_dim] → what is put beside z."""
        return self.concat(c) if self.joint else normalize_2nd_moment(self.embed(c))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """One w per z."""
        check_rows("z", z, self.z_dim)
        x = z.float()
        if not self.joint:
            x = normalize_2nd_moment(x)
        if self.c_dim:
            if c is None:
                raise ValueError(
                    f"this generator is conditional: give c, one row of {self.c_dim} numbers per z "
                    "(one-hot for a class)"
                )
            check_rows("c", c, self.c_dim, len(z))
            x = torch.cat([x, self.label(c.float())], dim=1)
        elif c is not None and c.numel():
            raise ValueError(f"this generator takes no label; c of shape {list(c.shape)} was given")
        if self.joint:
            x = normalize_2nd_moment(x)
        for i in range(self.num_layers):
            x = self.get_submodule(f"fc{i}")(x)
        return x
