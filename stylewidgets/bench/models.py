"""The models of the table of families: published shapes, random weights, nothing to download."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch

from ..core.checks import unknown_name
from ..generators.protocol import Generator
from ..generators.stylegan1.config import default_channels as stylegan1_channels
from ..generators.stylegan1.generator import StyleGAN1, StyleGAN1Config
from ..generators.stylegan2.generator import StyleGAN2, StyleGAN2Config, default_channels
from ..generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from ..ops.devices import own_random
from ..session.session import GeneratorSession

BUNDLED = "bundled"


def _stylegan1(resolution: int) -> Generator:
    return StyleGAN1(StyleGAN1Config(channels=stylegan1_channels(resolution)))


def _stylegan2(resolution: int, channel_base: int) -> Generator:
    return StyleGAN2(StyleGAN2Config(resolution=resolution, channels=default_channels(resolution, channel_base)))


def _stylegan3(variant: str, channel_base: int) -> Generator:
    return StyleGAN3(StyleGAN3Config.create(variant, 256, channel_base=channel_base))


MODELS: dict[str, Callable[[], Generator]] = {
    "stylegan2-1024": lambda: _stylegan2(1024, 32768),
    "stylegan2-256": lambda: _stylegan2(256, 16384),
    "stylegan2-256-f": lambda: _stylegan2(256, 32768),
    "stylegan3-t-256": lambda: _stylegan3("T", 16384),
    "stylegan3-r-256": lambda: _stylegan3("R", 32768),
    "stylegan1-1024": lambda: _stylegan1(1024),
}
"""Of 256 pixels the shapes that were published: half the feature maps of configuration F, which "-f" has in full."""
NAMES = (BUNDLED, *MODELS)


def chosen(text: str, known: Collection[str] = NAMES, kind: str = "model") -> list[str]:
    """The names in "a,b", "all" or "none". ValueError names what is not known."""
    if text in ("all", "none"):
        return list(known) if text == "all" else []
    for name in text.split(","):
        if name not in known:
            raise unknown_name(kind, name, (*known, "all", "none"))
    return text.split(",")


@own_random()
def make(name: str, bundled: GeneratorSession) -> GeneratorSession:
    """A session with that model on the same device and with the same precision as `bundled`, which itself is one of them."""
    if name == BUNDLED:
        return bundled
    torch.manual_seed(0)
    generator = MODELS[name]().eval()
    with torch.no_grad():
        for key, value in generator.synthesis.named_parameters():
            if key.endswith("noise_strength"):
                value.normal_(std=0.1)  # untrained it is zero, and would be skipped
    return GeneratorSession(generator, device=bundled.device, precision=bundled.precision, name=name)
