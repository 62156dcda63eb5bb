"""Image2StyleGAN (Abdal et al., "Image2StyleGAN: How to Embed Images Into the StyleGAN Latent Space?", ICCV 2019)."""

from __future__ import annotations

from torch import Tensor

from ...session.session import GeneratorSession
from ...settings import Value
from .. import spaces
from ..catalogue import METHODS
from ..losses.losses import map_distance, mse, shrink, w_distance
from ..losses.perceptual import Maps, plain_maps
from ..spaces import Codes
from ..target import Target
from .descent import Descent

LAYERS = ("conv1_1", "conv1_2", "conv3_2", "conv4_2")
"""The paper's layers of VGG16."""


class MapCriterion:
    """Mean squares of pixels, and of plain feature maps of pictures at 256 px.

    loss = pixels · ‖G − I‖² / N + perceptual · Σ ‖F(G) − F(I)‖² / N_j, N the numbers in each. A mask hides the rest.
    """

    def __init__(self, images: Tensor, mask: Tensor | None, maps: Maps, pixels: float, perceptual: float) -> None:
        self.images, self.mask, self._maps, self._pixels, self._perceptual = images, mask, maps, pixels, perceptual
        self._small = None if mask is None else shrink(mask)
        self._features = [m.detach() for m in maps(shrink(images), self._small)] if perceptual else []

    def __call__(self, drawn: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss [N] and its terms."""
        terms = {"pixels": mse(drawn, self.images, self.mask)}
        loss = self._pixels * terms["pixels"]
        if self._perceptual:
            terms["perceptual"] = map_distance(self._maps(shrink(drawn), self._small), self._features, self._small)
            loss = loss + self._perceptual * terms["perceptual"]
        return loss, terms


class Image2StyleGAN(Descent):
    """A code in w+ (or w, or s) by Adam at a constant rate, noise fixed, under pixels and plain VGG16 features.

    The paper: w+ of StyleGAN1, 5000 steps of rate 0.01, both weights 1, VGG16's maps before ReLU of normalised pictures;
    faces start from the mean of w, other pictures from even random numbers in [-1, 1].

    Args:
        initial: codes in `space` to start from in place of `start`.
    """

    def __init__(
        self,
        session: GeneratorSession,
        target: Target,
        *,
        initial: Codes | None = None,
        **settings: Value,
    ) -> None:
        values = METHODS["image2stylegan"].checked(settings)
        super().__init__(session, target, method="image2stylegan", settings=values, initial=initial)

    def _begin(self) -> None:
        super()._begin()
        values = self.settings
        self._mean = spaces.spread(self.session).mean
        maps = plain_maps(LAYERS, values["net"], self.session.device, relu=values["relu"])
        self.uses = {"perceptual": f"{maps.name} maps"}
        self._criterion = MapCriterion(self._images, self._mask, maps, values["pixels"], values["perceptual"])

    def _rate(self) -> float:
        return float(self.settings["rate"])

    def _objective(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        drawn = spaces.draw(self.session, self._code, self.space, view=self._view())
        loss, terms = self._criterion(drawn)
        if self.space != "s":
            terms["w_distance"] = w_distance(
                self._code.detach(), self._mean
            )  # reported, not minimised: how face-like it is
        return loss, terms, drawn
