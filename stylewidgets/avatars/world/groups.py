"""Groups of factors, and which factor stands in which column of a row.

A group is added by `register_group`. What was drawn, read or trained without it stays as it was: columns of earlier groups
come first, and the draws of a group depend on no other.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from ...core.checks import unknown_name
from .body import BODY_CORRELATIONS, BODY_FACTORS
from .detail import DETAIL_FACTORS
from .detail import phrase as tell_detail
from .factors import CORRELATIONS, FACTORS, Factor
from .unseen import UNSEEN_FACTORS
from .unseen import phrase as tell_unseen

Pick = Callable[[str, Sequence[str]], str]
"""A topic and phrases that mean the same → one of them."""


@dataclass(frozen=True)
class Group:
    """Factors that are drawn, read and told together.

    Attributes:
        name: as in `sample(groups=...)`.
        factors: in the order of their columns. Later releases may only add at the end.
        correlations: pairs of them, and the correlation of their normals; see `CORRELATIONS`.
        phrase: (values by name, pick) → what a caption says of them, "" for nothing; None where they go without saying.
    """

    name: str
    factors: tuple[Factor, ...]
    correlations: tuple[tuple[str, str, float], ...] = ()
    phrase: Callable[[Mapping[str, float], Pick], str] | None = None

    @property
    def first_key(self) -> int:
        """What column 0 is called in the hash that draws come from: a matter of the group alone."""
        return 0 if self.name == "head" else zlib.crc32(self.name.encode()) << 16


@dataclass(frozen=True)
class Columns:
    """The columns of a row that has these groups."""

    groups: tuple[Group, ...]

    def __len__(self) -> int:
        return len(self.factors)

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """One a column."""
        return tuple(factor for group in self.groups for factor in group.factors)

    @cached_property
    def index(self) -> dict[str, int]:
        """Name → column."""
        return {factor.name: i for i, factor in enumerate(self.factors)}

    @property
    def names(self) -> tuple[str, ...]:
        """One a column."""
        return tuple(self.index)

    def slices(self) -> list[tuple[Group, slice]]:
        """Each group, and its columns."""
        found, start = [], 0
        for group in self.groups:
            found.append((group, slice(start, start + len(group.factors))))
            start += len(group.factors)
        return found

    def check(self, shape: Sequence[int], use: str) -> None:
        """ValueError unless the shape is [N, F] of such rows."""
        if len(shape) != 2 or shape[1] != len(self):
            names = ", ".join(group.name for group in self.groups)
            raise ValueError(f"{use} needs factors [N, {len(self)}] (groups: {names}), got {tuple(shape)}")


HEAD = ("head",)
"""What rows have when nothing is said."""
BODY = ("head", "body")
"""What rows of half figures have."""
DETAIL = ("head", "detail")
"""What rows of heads have whose freckles and strands are drawn."""
UNSEEN = ("head", "unseen")
"""What rows of heads have that no bundled generator has seen the like of."""
GROUPS: dict[str, Group] = {
    "head": Group("head", FACTORS, CORRELATIONS),
    "body": Group("body", BODY_FACTORS, BODY_CORRELATIONS),
    "detail": Group("detail", DETAIL_FACTORS, phrase=tell_detail),
    "unseen": Group("unseen", UNSEEN_FACTORS, phrase=tell_unseen),
}
"""By name, in the order of their columns. `register_group` adds."""


def register_group(group: Group) -> Group:
    """Add a group of factors behind the others. ValueError for a name that is taken, of a group or of a factor."""
    taken = {*GROUPS, *columns(tuple(GROUPS)).names} & {group.name, *(factor.name for factor in group.factors)}
    if taken or not group.factors:
        raise ValueError(f"a group needs factors and names that are free; {', '.join(sorted(taken)) or 'none'} given")
    GROUPS[group.name] = group
    columns.cache_clear()
    return group


@cache
def columns(groups: tuple[str, ...] = HEAD) -> Columns:
    """The columns of rows with these groups, in the order of GROUPS whatever the order asked for.

    Raises:
        ValueError: a group that has no factors; the text says which groups there are.
    """
    for name in groups:
        if name not in GROUPS:
            raise unknown_name("group of factors", name, GROUPS)
    return Columns(tuple(group for name, group in GROUPS.items() if name in groups))


def with_head(groups: Sequence[str], use: str) -> Columns:
    """The columns for what needs a head. ValueError without one."""
    if "head" not in groups:
        raise ValueError(f"{use} needs the group 'head' among its groups; {', '.join(groups) or 'none'} given")
    return columns(tuple(groups))


def framed(framing: str, groups: Sequence[str]) -> bool:
    """Whether a framing shows the body. ValueError for another framing, and for a body that the rows do not have."""
    if framing not in ("head", "half"):
        raise unknown_name("framing", framing, ("head", "half"))
    if framing == "half" and "body" not in groups:
        raise ValueError(
            f'the framing "half" shows a body, which rows of the groups {", ".join(groups)} do not have; '
            'sample and draw them with groups=("head", "body")'
        )
    return framing == "half"
