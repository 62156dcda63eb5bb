"""Live StyleGAN widgets for Jupyter notebooks. ``import stylewidgets as sw; sw.LatentExplorer(sw.load())`` starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.lazy import attach

if TYPE_CHECKING:
    from .avatars.world.dataset import AvatarDataset
    from .checkpoints.atlas import read_atlas
    from .directions import DirectionSet
    from .exchange import read_directions, read_latent, read_latents
    from .generators.posed.person import Person
    from .latent import (
        Camera,
        Code,
        Direction,
        Edit,
        FlowEdit,
        Latent,
        MapperEdit,
        Move,
        Pose,
        RigEdit,
        TransferEdit,
        Transform,
    )
    from .mixing.grid import MixGrid
    from .remote.connecting import connect
    from .remote.session import RemoteSession
    from .session.load import load
    from .session.session import GeneratorSession
    from .widgets.inversion_viewer.viewer import InversionViewer
    from .widgets.latent_explorer.explorer import LatentExplorer
    from .widgets.style_mix_grid.grid import StyleMixGrid
    from .widgets.style_space_probe.probe import StyleSpaceProbe

__version__ = "0.1.0"

_ROOMS = (
    "bench",
    "checkpoints",
    "domain",
    "editing",
    "film",
    "generators",
    "inversion",
    "jobs",
    "lesson",
    "metrics",
    "remote",
    "render",
    "settings",
    "stylespace",
    "text",
    "tools",
    "training",
    "weights",
)
# At first use: torch and ipywidgets take seconds, and `import stylewidgets` must not.
__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "avatars.world.dataset": "AvatarDataset",
        "checkpoints.atlas": "read_atlas",
        "directions": "DirectionSet",
        "exchange": "read_directions read_latent read_latents",
        "generators.posed.person": "Person",
        "latent": "Camera Code Direction Edit FlowEdit Latent MapperEdit Move Pose RigEdit TransferEdit Transform",
        "mixing.grid": "MixGrid",
        "remote.connecting": "connect",
        "remote.session": "RemoteSession",
        "session.load": "load",
        "session.session": "GeneratorSession",
        "widgets.inversion_viewer.viewer": "InversionViewer",
        "widgets.latent_explorer.explorer": "LatentExplorer",
        "widgets.style_mix_grid.grid": "StyleMixGrid",
        "widgets.style_space_probe.probe": "StyleSpaceProbe",
        **dict.fromkeys(_ROOMS, ""),
    },
)
