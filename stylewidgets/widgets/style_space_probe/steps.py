"""The computations of the probe as jobs: a thin layer between the widget and `stylewidgets.stylespace`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from ... import domain, stylespace
from ...core.checks import check_int, unknown_name
from ...jobs import DONE, Job, Progress, Run
from ...latent.latent import Direction, Latent
from .edits import moved

if TYPE_CHECKING:
    from ...domain import Reader
    from ...session.session import GeneratorSession
    from ...stylespace import Channel, Effect, LocalRanking, Ranking, Statistics

Segment = Callable[[NDArray[np.uint8]], ArrayLike]
"""Takes a picture uint8 [H, W, 3], returns its region labels [h, w], whole numbers from 0."""

MOST_OF_IT = 0.6
"""Share of a change (mean square) that a quarter of the picture must hold to be shown alone."""


class Regions:
    """The regions of a picture: by a function of the user, else by the generator's domain, else none.

    Attributes:
        size: height and width of masks that are painted.
    """

    def __init__(self, session: GeneratorSession, segment: Segment | None, names: Sequence[str] | None) -> None:
        self._session, self._segment = session, segment
        self.size = session.picture_size
        self._names = None if names is None else tuple(str(name) for name in names)
        self._last: tuple[Latent, NDArray[np.uint8]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """One a label; () when the generator has no regions."""
        if self._names is None:
            known = domain.of(self._session)
            if self._segment is None and known is not None and known.segmenter is not None:
                self._segment = known.segmenter()
            self._names = tuple(getattr(self._segment, "names", ()))
        return self._names

    def name(self, region: str | int) -> str:
        """Return the name of a region given by name or number."""
        return self.names[self.number(region)]

    def number(self, region: str | int) -> int:
        """Return the label of a region given by name or number. ValueError when there is none."""
        if not self.names:
            raise ValueError("this generator has no regions: give StyleSpaceProbe segment= and regions=, or paint")
        if isinstance(region, str):
            if region not in self.names:
                raise unknown_name("region", region, self.names)
            return self.names.index(region)
        return check_int("region", region, 0, len(self.names) - 1)

    def mask(self, latent: Latent, region: str | int) -> NDArray[np.bool_]:
        """Return where a region is in the picture of a latent, bool [h, w]."""
        number = self.number(region)
        return self.labels(latent) == number

    def labels(self, latent: Latent) -> NDArray[np.uint8]:
        """Return the labels of the picture of a latent, uint8 [h, w]. Those of the last one are kept."""
        if not self.names or self._segment is None:
            raise ValueError("this generator has no regions: give StyleSpaceProbe segment= and regions=, or paint")
        if self._last is not None and self._last[0] == latent:
            return self._last[1]
        labels = np.asarray(self._segment(self._session.image(latent)))
        if labels.ndim != 2:
            raise ValueError(f"segment must return labels [height, width]; {list(labels.shape)} came")
        self._last = latent, labels.astype(np.uint8)
        return self._last[1]


def effect(
    session: GeneratorSession, latent: Latent, channel: Channel, sigmas: Sequence[float], statistics: Statistics
) -> Job[Effect]:
    """One step that returns pictures uint8 [k, H, W, 3] and heat [H, W]."""
    run = session.start(stylespace.effect_spec(latent, channel, sigmas, statistics))
    yield from run
    found: Effect = run.result()  # type: ignore[assignment]
    return found


def local(
    session: GeneratorSession,
    latents: Sequence[Latent],
    statistics: Statistics,
    regions: NDArray[np.generic],
    show: Callable[[LocalRanking], None],
    **options: object,
) -> Job[LocalRanking]:
    """Shows better and better rankings and returns the best; see `stylespace.local_effect`."""
    run, shown = session.start(stylespace.local_spec(session, latents, statistics, regions, **options)), None
    for progress in run:
        ranking = run.result()
        if ranking is not None and (shown is None or ranking.values is not shown.values):
            show(ranking)
            shown = ranking
        yield progress
    best = run.result()
    assert best is not None  # nobody else stops it
    return best


def local_to_region(
    session: GeneratorSession,
    latents: Sequence[Latent],
    statistics: Statistics,
    regions: Regions,
    region: str | int,
    show: Callable[[LocalRanking], None],
    **options: object,
) -> Job[LocalRanking]:
    """As `local`, to a region that is looked up in one picture after the other. ValueError when it is in none."""
    labels, target = [], regions.number(region)
    for latent in latents:
        labels.append(regions.labels(latent))
        yield Progress(words="looking at the pictures")
    where = np.stack(labels)
    if not (where == target).any():
        raise ValueError(f"{regions.name(region)} is not in these pictures: paint or choose a place that is")
    return (yield from local(session, latents, statistics, where, show, target=target, names=regions.names, **options))


def estimate(
    session: GeneratorSession, latent: Latent, statistics: Statistics, regions: NDArray[np.generic]
) -> Job[LocalRanking]:
    """Returns the first estimate of `stylespace.local_effect`, from a few random projections: a second, not ten."""
    from ...stylespace.search.by_place import QUICK

    run = session.start(stylespace.local_spec(session, [latent], statistics, regions, include_torgb=True))
    ranking = None
    for progress in run:
        ranking = run.result()
        if progress.done >= QUICK:
            break
        yield Progress()
    run.stop()
    best = run.result() or ranking
    assert best is not None  # the first step has one
    return best


def attributes(
    session: GeneratorSession,
    statistics: Statistics,
    reader: Reader,
    kind: str,
    show: Callable[[dict[str, Ranking]], None] = lambda found: None,
    own: bool = True,
) -> Job[dict[str, Ranking]]:
    """Returns a ranking for each attribute by name; `kind` is "effect" or "correlation". Counts to one total.

    Args:
        show: called with a first estimate, from few pictures.
        own: whether the reader is somebody's own, and not that of the session's domain.
    """
    if own:
        run: Run[Any] = stylespace.attribute_rankings.start(session, statistics, reader, kind)
    else:
        run = session.start(stylespace.attributes_spec(kind, statistics))
    shown = None
    for progress in run:
        found = run.result()
        if found is not None and found is not shown and run.status != DONE:
            show(found)
            shown = found
        yield progress
    rankings: dict[str, Ranking] = run.result()
    return rankings


def edited(
    session: GeneratorSession,
    latent: Latent,
    edits: Sequence[tuple[Channel, float]],
    direction: Callable[[Channel, Latent], Direction],
    side: int,
) -> Job[NDArray[np.uint8]]:
    """Returns small pictures of a latent, each with one channel moved and seen from near, uint8 [n, side, side, 3]."""
    pictures, before = [], session.images([latent], resolution=2 * side)[0]
    for number, (channel, strength) in enumerate(edits):
        there = moved(latent, direction(channel, latent), strength)
        pictures.append(close_up(before, session.images([there], resolution=2 * side)[0], side))
        yield Progress(number + 1, len(edits))
    return np.stack(pictures)


def close_up(before: NDArray[np.uint8], after: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """What is seen of a change: the quarter of `after` around its middle or, where that has too little of it, all.

    Args:
        before, after: uint8 [h, w, 3].

    Returns:
        uint8 [side, side, 3].
    """
    change = np.square(after.astype(np.float64) - before).sum(axis=2)
    total = float(change.sum()) or 1.0
    rows, columns = (_around(change.sum(axis=axis) / total) for axis in (1, 0))
    local = change[rows, columns].sum() >= MOST_OF_IT * total
    box = (columns.start, rows.start, columns.stop, rows.stop) if local else None
    return np.asarray(Image.fromarray(after).resize((side, side), Image.Resampling.LANCZOS, box=box))


def _around(share: NDArray[np.float64]) -> slice:
    """Half of the places, around the middle of a distribution over all of them, float [n]."""
    count = len(share) // 2
    start = round(float(share @ np.arange(len(share)))) - count // 2
    start = min(max(start, 0), len(share) - count)
    return slice(start, start + count)


def thumbnails(session: GeneratorSession, seeds: Sequence[int], side: int) -> Job[NDArray[np.uint8]]:
    """Returns small pictures of seeds, uint8 [n, h, w, 3]."""
    pictures = []
    for number, seed in enumerate(seeds):
        pictures.append(session.images([session.latent(seed=seed)], resolution=side)[0])
        yield Progress(number + 1, len(seeds))
    return np.stack(pictures)


def resized(mask: ArrayLike, height: int, width: int) -> NDArray[np.bool_]:
    """A mask [h, w] in another size."""
    array = np.asarray(mask) != 0
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"a mask has shape [height, width]; {list(array.shape)} was given")
    image = Image.fromarray(array.astype(np.uint8) * 255)
    return np.asarray(image.resize((width, height), Image.Resampling.NEAREST)) > 127
