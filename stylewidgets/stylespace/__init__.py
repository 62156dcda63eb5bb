"""StyleSpace analysis (Wu, Lischinski and Shechtman, CVPR 2021): what each style channel of a generator does.

`statistics` samples s. `effect` and `edit_direction` move channels. `local_effect` finds them by place,
`attribute_ranking` by example, `factor_ranking` and `effect_ranking` by attribute. `attribute_dependency` and `dci` measure
how well they keep things apart. Pure compute: torch and numpy in, arrays out. What takes long is a `jobs.Work`: a
call does all of it, `.start(...)` gives a run to watch, pause and stop.
"""

from __future__ import annotations

from .channel import Channel, is_torgb, layer_of, num_channels, offsets
from .dci import DCI, dci
from .dependency import Dependency, Faces, attribute_dependency, reach
from .effects import Effect, direction_effect, edit_direction, effect
from .examples import attribute_ranking
from .factors import effect_ranking, factor_effects, factor_ranking
from .figures import dci_figure, dependency_figure, effect_figure, gaps_figure, histogram_figure, report_figure
from .local import LocalRanking, local_effect
from .measure import make_report, report
from .ranking import Ranking
from .readings import Reader, avatar_reader, read_samples
from .reports import Report, Row
from .segmentation import AvatarSegmenter, segmentation
from .spaces import disentanglement
from .statistics import Statistics, statistics

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
