"""StyleSpace analysis (Wu, Lischinski and Shechtman, CVPR 2021): what each style channel of a generator does.

`statistics` samples s. `effect` and `edit_direction` move channels. `local_effect` finds them by place,
`attribute_ranking` by example, `factor_ranking` and `effect_ranking` by attribute. `attribute_dependency` and `dci` measure
how well they keep things apart. Pure compute: torch and numpy in, arrays out, progress by callbacks.
"""

from __future__ import annotations

from .channel import Channel, Stopped, is_torgb, layer_of, num_channels, offsets
from .channel_statistics import Statistics, statistics
from .effects import Effect, direction_effect, edit_direction, effect
from .reports.dci import DCI, dci
from .reports.dependency import Dependency, Faces, attribute_dependency, reach
from .reports.figures import dci_figure, dependency_figure, effect_figure, gaps_figure, histogram_figure, report_figure
from .reports.measure import make_report, report
from .reports.readings import Reader, avatar_reader, read_samples
from .reports.spaces import disentanglement
from .reports.table import Report, Row
from .search.examples import attribute_ranking
from .search.factors import effect_ranking, factor_effects, factor_ranking
from .search.local import LocalRanking, local_effect
from .search.ranking import Ranking
from .segmenter import AvatarSegmenter, segmentation

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
