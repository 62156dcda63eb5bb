"""StyleSpace analysis (Wu, Lischinski and Shechtman, CVPR 2021): what each style channel of a generator does.

`statistics` samples s. `effect` and `edit_direction` move channels. `local_effect` finds them by place,
`attribute_ranking` by example, `factor_ranking` and `effect_ranking` by attribute. `attribute_dependency` and `dci` measure
how well they keep things apart. Pure compute: torch and numpy in, arrays out. What takes long is a `jobs.Work`: a
call does all of it, `.start(...)` gives a run to watch, pause and stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from ..avatars.reading.reader import avatar_reader
    from ..avatars.reading.segmenter import AvatarSegmenter
    from ..domain import Reader
    from .channel import Channel, is_torgb, layer_of, num_channels, offsets
    from .channel_statistics import statistics
    from .directions import Effect, edit_direction
    from .effects import direction_effect, effect
    from .reports.dci import DCI, dci
    from .reports.dependency import Dependency, Faces, attribute_dependency, reach
    from .reports.figures import (
        dci_figure,
        dependency_figure,
        effect_figure,
        gaps_figure,
        histogram_figure,
        report_figure,
    )
    from .reports.measure import make_report, report
    from .reports.readings import read_samples, read_w
    from .reports.spaces import disentanglement
    from .reports.table import Report, Row
    from .samples import Statistics
    from .search.attributes import attribute_rankings
    from .search.by_place import LocalRanking
    from .search.examples import attribute_ranking
    from .search.factors import effect_ranking, factor_effects, factor_ranking
    from .search.local import local_effect
    from .search.ranking import Ranking
    from .segmenter import segmentation
    from .specs import attributes_spec, effect_spec, local_spec

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "channel": "Channel is_torgb layer_of num_channels offsets",
        "channel_statistics": "statistics",
        "directions": "Effect edit_direction",
        "effects": "direction_effect effect",
        "reports.dci": "DCI dci",
        "reports.dependency": "Dependency Faces attribute_dependency reach",
        "reports.figures": "dci_figure dependency_figure effect_figure gaps_figure histogram_figure report_figure",
        "reports.measure": "make_report report",
        "reports.readings": "read_samples read_w",
        "reports.table": "Report Row",
        "reports.spaces": "disentanglement",
        "search.examples": "attribute_ranking",
        "search.factors": "effect_ranking factor_effects factor_ranking",
        "samples": "Statistics",
        "search.by_place": "LocalRanking",
        "search.local": "local_effect",
        "search.ranking": "Ranking",
        "segmenter": "segmentation",
        "search.attributes": "attribute_rankings",
        "specs": "attributes_spec effect_spec local_spec",
        "..domain": "Reader",
        # only by name: whatever knows avatars is reached through their domain
        "..avatars.reading.reader": "avatar_reader",
        "..avatars.reading.segmenter": "AvatarSegmenter",
    },
)
