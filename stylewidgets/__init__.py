"""Live StyleGAN widgets for Jupyter notebooks. ``import stylewidgets as sw; sw.LatentExplorer(sw.load())`` starts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .avatars.world.dataset import AvatarDataset
    from .directions import DirectionSet
    from .latent.latent import Code, Direction, Edit, Latent, Transform
    from .mixing.grid import MixGrid
    from .session.load import load
    from .session.session import GeneratorSession
    from .widgets.inversion_viewer.viewer import InversionViewer
    from .widgets.latent_explorer.explorer import LatentExplorer
    from .widgets.style_mix_grid.grid import StyleMixGrid
    from .widgets.style_space_probe.probe import StyleSpaceProbe

__version__ = "0.1.0"

__all__ = [
    "AvatarDataset",
    "Code",
    "Direction",
    "DirectionSet",
    "Edit",
    "GeneratorSession",
    "InversionViewer",
    "Latent",
    "LatentExplorer",
    "MixGrid",
    "StyleMixGrid",
    "StyleSpaceProbe",
    "Transform",
    "load",
]

_NAMES = {
    "AvatarDataset": "avatars.world.dataset",
    "Code": "latent",
    "Direction": "latent",
    "DirectionSet": "directions",
    "Edit": "latent",
    "GeneratorSession": "session.session",
    "InversionViewer": "widgets.inversion_viewer.viewer",
    "Latent": "latent",
    "LatentExplorer": "widgets.latent_explorer.explorer",
    "MixGrid": "mixing.grid",
    "StyleMixGrid": "widgets.style_mix_grid.grid",
    "StyleSpaceProbe": "widgets.style_space_probe.probe",
    "Transform": "latent",
    "load": "session.load",
}
_MODULES = (
    "avatars", "bench", "checkpoints", "directions", "film", "generators", "inversion", "latent", "metrics", "mixing",
    "render", "session", "stylespace", "training", "weights",
)  # fmt: skip
_ELSEWHERE = {"tools": "widgets.latent_explorer.tools"}


def __getattr__(name: str) -> Any:
    # Imported at first use: torch and ipywidgets take seconds, and `import stylewidgets` must not.
    if name in _NAMES:
        value = getattr(import_module(f".{_NAMES[name]}", __name__), name)
        globals()[name] = value
        return value
    if name in _MODULES or name in _ELSEWHERE:
        return import_module(f".{_ELSEWHERE.get(name, name)}", __name__)
    if name.startswith("_"):  # asked for by inspection tools, which expect a plain answer
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .core.checks import unknown_name

    raise AttributeError(str(unknown_name(f"name in {__name__}", name, (*__all__, *_MODULES, *_ELSEWHERE))))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES, *_ELSEWHERE})
