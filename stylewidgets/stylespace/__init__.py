"""StyleSpace analysis (Wu, Lischinski and Shechtman, CVPR 2021): what each style channel of a generator does.

`statistics` samples s. `effect` and `edit_direction` move channels. `local_effect` finds them by place,
`attribute_ranking` by example, `factor_ranking` and `effect_ranking` by attribute. `attribute_dependency` and `dci` measure
how well they keep things apart. Pure compute: torch and numpy in, arrays out, progress by callbacks.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..domain import Reader
from .channel import Channel, Stopped, is_torgb, layer_of, num_channels, offsets
from .effects import Effect, direction_effect, edit_direction, effect
from .report.dci import DCI, dci
from .report.dependency import Dependency, Faces, attribute_dependency, reach
from .report.figures import dci_figure, dependency_figure, effect_figure, gaps_figure, histogram_figure, report_figure
from .report.measure import make_report, report
from .report.readings import read_samples
from .report.report import Report, Row
from .report.spaces import disentanglement
from .search.examples import attribute_ranking
from .search.factors import effect_ranking, factor_effects, factor_ranking
from .search.local import LocalRanking, local_effect
from .search.ranking import Ranking
from .segmentation import segmentation
from .statistics import Statistics, statistics

if TYPE_CHECKING:
    from ..avatars.reading.reader import avatar_reader
    from ..avatars.reading.segmenter import AvatarSegmenter

__all__ = [
    "DCI",
    "AvatarSegmenter",
    "Channel",
    "Dependency",
    "Effect",
    "Faces",
    "LocalRanking",
    "Ranking",
    "Reader",
    "Report",
    "Row",
    "Statistics",
    "Stopped",
    "attribute_dependency",
    "attribute_ranking",
    "avatar_reader",
    "dci",
    "dci_figure",
    "dependency_figure",
    "direction_effect",
    "disentanglement",
    "edit_direction",
    "effect",
    "effect_figure",
    "effect_ranking",
    "factor_effects",
    "factor_ranking",
    "gaps_figure",
    "histogram_figure",
    "is_torgb",
    "layer_of",
    "local_effect",
    "make_report",
    "num_channels",
    "offsets",
    "reach",
    "read_samples",
    "report",
    "report_figure",
    "segmentation",
    "statistics",
]


_OF_AVATARS = {"AvatarSegmenter": "segmenter", "avatar_reader": "reader"}


def __getattr__(name: str) -> object:
    # Only by name, at first use: whatever knows avatars is reached through `stylewidgets.domain`.
    if name in _OF_AVATARS:
        return getattr(import_module(f"stylewidgets.avatars.reading.{_OF_AVATARS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
