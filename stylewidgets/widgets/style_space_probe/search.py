"""What the probe computes: statistics, effects, rankings, and the measures that colour its map."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ... import domain, stylespace
from ...core.checks import unknown_name
from ...jobs import Job
from ...latent.latent import Direction, Latent
from ...stylespace import Channel
from ...stylespace.channel import layer_words
from ...stylespace.reports.table import shipped_report
from ..kit.controls.source_controls import start_from
from ..kit.jobs import Jobs
from . import steps
from .edits import channel_of, edit_of, factor_words, free_name

if TYPE_CHECKING:
    from ...domain import Reader
    from ...stylespace import Effect, LocalRanking, Ranking, Report, Statistics
    from .host import ProbeHost

VALUE, EFFECT, PLACE, EXAMPLES, ATTRIBUTE = "value", "effect", "place", "examples", "attribute"
"""The measures that can colour the map."""

T = TypeVar("T")
Histogram = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Counts and edges, as numpy.histogram gives them."""

GREY = "grey levels per σ"

BRIGHTEST = 0.98
"""Share of the channels that are not at the end of the colours: a few are far stronger than all others."""

DRAG_SECONDS = 0.15
"""While something is dragged, map and numbers follow at most this often."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One number a channel, [S], NaN where it is not known; with what the colours mean."""

    values: NDArray[np.float32]
    words: str
    unit: str
    low: float
    high: float
    palette: str

    @property
    def scale(self) -> dict[str, str | float]:
        """The trait `scale` of the map."""
        return {"measure": self.words, "unit": self.unit, "low": self.low, "high": self.high, "palette": self.palette}


class ProbeSearch:
    """Keeps what was found, and tells the panels through the callbacks below.

    Attributes:
        statistics: of all channels; None until they are there.
        measures: by name; those that are known.
        rankings: by measure, best first.
        on_statistics(), on_measure(name), on_effect(pictures, heat, sigmas, channel), on_ranking(measure, ranking, words): set by
        the panels.
    """

    def __init__(
        self,
        owner: ProbeHost,
        work: Jobs,
        samples: int,
        segment: steps.Segment | None,
        regions: Sequence[str] | None,
        reader: Reader | None = None,
    ) -> None:
        self._owner, self._work, self._samples = owner, work, samples
        self._session, self._layers = owner.session, owner.session.layers
        self.regions = steps.Regions(self._session, segment, regions)
        self._reader, self._own_reader = reader, reader is not None
        self._attributes: dict[str, dict[str, Ranking]] = {}
        self.statistics: Statistics | None = None
        self.measures: dict[str, Measure] = {}
        self.rankings: dict[str, Ranking] = {}
        self.painted: Callable[[int, int], NDArray[np.bool_]] | None = None
        self.sigmas: Callable[[], Sequence[float]] = lambda: (-3.0, 0.0, 3.0)
        self.on_statistics: Callable[[], None] = lambda: None
        self.on_measure: Callable[[str], None] = lambda name: None
        self.on_effect: Callable[..., None] = lambda *_: None
        self.on_ranking: Callable[[str, Ranking, str], None] = lambda *_: None
        self._estimated: Latent | None = None
        self._measured: Latent | None = None
        self._shown_effect: tuple[Latent, Channel, tuple[float, ...]] | None = None
        self._last = 0.0

    @property
    def size(self) -> int:
        """Number of channels."""
        return sum(layer.channels for layer in self._layers)

    # -- statistics ----------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin with what everything else needs, unless that is there or under way."""
        if self.statistics is not None or self._work.busy("statistics"):
            return
        self._work.run(
            "statistics",
            self._session.start({"kind": "statistics", "settings": {"n": self._samples}}),
            self._have_statistics,
            "statistics of the channels",
        )

    def run(self, name: str, task: Job[T], done: Callable[[T], None], words: str, quiet: bool = False) -> None:
        """Do other work of a panel; see `Jobs.run`."""
        self._work.run(name, task, done, words, quiet)

    def need_statistics(self) -> Statistics:
        """Return the statistics, finishing or beginning them now when they are not there."""
        self.start()
        if self.statistics is None:
            self._work.finish()
        if self.statistics is None:
            raise RuntimeError("the statistics of the channels could not be made; see the message on the map")
        return self.statistics

    def _have_statistics(self, statistics: Statistics) -> None:
        self.statistics = statistics
        self._measure_value()
        self.on_statistics()
        self.effect_changed()

    def direction(self, channel: Channel, latent: Latent) -> Direction:
        """Return the direction of one channel; one unit of it is one sigma."""
        there = edit_of(latent, channel.flat(self._layers))
        if there is not None:
            return there.direction
        name = free_name(latent, channel.paper)
        return stylespace.edit_direction(self._session, {channel: 1.0}, self.need_statistics(), name)

    # -- the present picture -------------------------------------------------------------------------------------------
    def value_changed(self) -> None:
        """The latent changed: map and numbers follow, at a pace."""
        if not self._work.live or time.monotonic() - self._last >= DRAG_SECONDS:
            self.settled()

    def settled(self) -> None:
        """The picture has come to rest: everything that shows it is brought up to date."""
        self._last = time.monotonic()
        if self.statistics is not None:
            self._measure_value()
            self.effect_changed()

    def sigmas_of(self, latent: Latent) -> NDArray[np.float32]:
        """Return all channels of a latent as deviations from their mean in sigma, [S]."""
        statistics = self.need_statistics()
        return np.asarray(statistics.in_sigma(self._session.code_styles(latent)), np.float32)

    def _measure_value(self) -> None:
        values = self.sigmas_of(self._owner.value)
        self.measures[VALUE] = Measure(values, "value", "σ", -3.0, 3.0, "diverging")
        self.on_measure(VALUE)

    def effect_changed(self) -> None:
        """Draw the pictures of the selected channel again if they are not those any more."""
        channel = self._owner.selected
        if channel is None or self.statistics is None:
            return
        base = base_of(self._owner.value, channel.flat(self._layers))
        wanted = (base, channel, tuple(self.sigmas()))
        if wanted == self._shown_effect:
            return

        def done(result: Effect) -> None:
            self._shown_effect = wanted
            self.on_effect(result.pictures, result.heat, wanted[2], channel)

        task = steps.effect(self._session, base, channel, wanted[2], self.statistics)
        self._work.run("effect", task, done, f"effect of {channel.paper}", quiet=True)

    # -- searches ------------------------------------------------------------------------------------------------------
    @cached_property
    def shipped(self) -> Report | None:
        """The report that comes with the generator, unless the readings are somebody else's."""
        return None if self._own_reader else shipped_report(self._session)

    def words(self, channel: Channel) -> str:
        """A channel in words, with what the shipped report says that it moves most cleanly."""
        there = [] if self.shipped is None else [row for row in self.shipped.rows if tuple(row.channel) == channel]
        does = f"{factor_words(there[0].factor)}: " if there else ""
        return f"{does}{channel.words(self._layers)}"

    def estimate_effect(self) -> None:
        """Colour the map by a quick estimate of every channel's effect on the present picture, where it is not known."""
        latent = self._owner.value
        if self.statistics is None or self._estimated == latent:
            return
        self._estimated = latent

        def show(ranking: LocalRanking) -> None:
            self._have_values(EFFECT, ranking.table["strength"], "change of the picture, estimated", GREY)

        everywhere = np.ones(self.regions.size, bool)
        task = steps.estimate(self._session, latent, self.statistics, everywhere)
        self._work.run("estimate", task, show, "effect of all channels", quiet=True)

    def find_effect(self) -> None:
        """Measure the effect of every channel on the whole picture, unless that is done."""
        latent = self._owner.value
        if self._measured == latent:
            return

        def show(ranking: LocalRanking) -> None:
            self._estimated = latent
            self._measured = latent if ranking.done == ranking.total else None
            self._have_values(EFFECT, ranking.table["strength"], "change of the picture", GREY)

        everywhere = np.ones(self.regions.size, bool)
        task = steps.local(self._session, [latent], self.need_statistics(), everywhere, show, include_torgb=True)
        self._work.run(EFFECT, task, show, "effect of all channels")

    def find_place(
        self, mask: ArrayLike | None = None, region: str | int | None = None, pictures: int = 1, now: bool = False
    ) -> Ranking | None:
        """Rank channels by how local their effect is: to a mask [h, w], a region, or what is painted.

        A region is looked up in `pictures` pictures: the present one and others with random seeds.
        """
        latent = self._owner.value
        if region is not None:
            words, where = self.regions.name(region), self.regions.mask(latent, region)
        elif mask is not None:
            words, where = "the painted place", steps.resized(mask, *self.regions.size)
        elif self.painted is None or not self.painted(8, 8).any():
            raise ValueError("paint on the picture first, or choose a region: then channels can be ranked by it")
        else:
            words, where = "the painted place", self.painted(*self.regions.size)
        if not where.any() and (region is None or pictures < 2):
            raise ValueError(f"{words} is not in this picture: paint or choose a place that is")
        self.rankings.pop(PLACE, None)

        def show(ranking: LocalRanking) -> None:
            estimate = " (first estimate)" if ranking.stage == "quick" else ""
            self.rankings[PLACE] = ranking
            self.on_ranking(PLACE, ranking, f"most local to {words}{estimate}")
            self._have_values(PLACE, ranking.table["strength"], f"change of {words}", GREY)

        statistics = self.need_statistics()
        if region is None:
            task = steps.local(self._session, [latent], statistics, where, show)
        else:
            latents = [latent, *(start_from(latent, self._session.c_dim > 0, seed=seed) for seed in range(1, pictures))]
            task = steps.local_to_region(self._session, latents, statistics, self.regions, region, show)
        self._work.run(PLACE, task, show, f"channels of {words}")
        return self._now(PLACE, now)

    def find_examples(self, positives: Iterable[Latent | int]) -> Ranking:
        """Rank channels by the paper's θ over positive examples: latents or seeds."""
        latents = [p if isinstance(p, Latent) else self._session.latent(seed=int(p)) for p in positives]
        if len(latents) < 2:
            raise ValueError(f"θ needs at least 2 examples, better 10 to 30; {len(latents)} were given")
        ranking = stylespace.attribute_ranking(self._session, self.need_statistics(), latents)
        self._have_ranking(EXAMPLES, ranking, f"common to {len(latents)} examples", "θ of the examples")
        return ranking

    @property
    def attributes(self) -> tuple[str, ...]:
        """What can be read off pictures; () when nothing can."""
        known = domain.of(self._session)
        if self._reader is None and known is not None and known.reader is not None:
            self._reader = known.reader()  # reads a network, so not before somebody asks
        return () if self._reader is None else tuple(self._reader.names)

    def find_attribute(self, name: str, kind: str = "effect", now: bool = False) -> Ranking | None:
        """Rank channels for an attribute: "effect" by what they do to its reading, "correlation" by what goes with it."""
        if name not in self.attributes:
            raise unknown_name("attribute", name, self.attributes)

        def done(found: dict[str, Ranking]) -> None:
            self._attributes[kind] = found
            self.attribute_known(name, kind)

        if not self.attribute_known(name, kind):
            assert self._reader is not None  # it has attributes

            def estimated(found: dict[str, Ranking]) -> None:
                if name in found and ATTRIBUTE not in self.rankings:
                    self._show_attribute(found[name], name, kind, " (first estimate)")

            self.rankings.pop(ATTRIBUTE, None)
            task = steps.attributes(
                self._session, self.need_statistics(), self._reader, kind, estimated, self._own_reader
            )
            self._work.run(ATTRIBUTE, task, done, "channels of all attributes")
        return self._now(ATTRIBUTE, now)

    def attribute_known(self, name: str, kind: str) -> bool:
        """Show the ranking of an attribute if it is there."""
        ranking = self._attributes.get(kind, {}).get(name)
        if ranking is None:
            return False
        self.rankings[ATTRIBUTE] = ranking
        self._show_attribute(ranking, name, kind)
        return True

    def _show_attribute(self, ranking: Ranking, name: str, kind: str, more: str = "") -> None:
        words = f"moves {name} and little else" if kind == "effect" else f"goes with {name}"
        self.on_ranking(ATTRIBUTE, ranking, words + more)
        signed = ranking.table["effect"] if kind == "effect" else ranking.values * ranking.sign
        self._have_values(ATTRIBUTE, signed, f"{kind} · {name}")

    def make_report(self, done: Callable[[Report], None], now: bool = False, anew: bool = False) -> None:
        """Give the disentanglement report: that which comes with the weights, or a new one where there is none or `anew`."""
        if not self.attributes:
            raise ValueError(
                "a report needs attributes that can be read: give StyleSpaceProbe reader=stylespace.Reader(...)"
            )
        found = None if anew else self.shipped
        if found is not None:  # a file: it need not wait for a search that goes on
            done(found)
            return
        if self._session.device.type == "remote":
            raise ValueError("a report is made where the generator is: stylespace.report(session) on the server")
        stats = self.need_statistics()
        task = stylespace.make_report.steps(self._session, self._reader, samples=stats.n, seed=stats.seed)
        self._work.run("report", task, done, "disentanglement report")
        if now:
            self._work.finish()

    def _now(self, measure: str, now: bool) -> Ranking | None:
        if now:
            self._work.finish()
        return self.rankings.get(measure)

    def _have_ranking(self, measure: str, ranking: Ranking, words: str, about: str) -> None:
        self.rankings[measure] = ranking
        self.on_ranking(measure, ranking, words)
        self._have_values(measure, ranking.values, about)

    def _have_values(self, measure: str, values: ArrayLike, words: str, unit: str = "") -> None:
        values = np.asarray(values, np.float32)
        known = values[np.isfinite(values)]
        signed = bool(len(known)) and float(known.min()) < 0
        top = (float(np.quantile(np.abs(known), BRIGHTEST)) if len(known) else 1.0) or 1.0
        palette = "diverging" if signed else "sequential"
        self.measures[measure] = Measure(values, words, unit, -top if signed else 0.0, top, palette)
        self.on_measure(measure)

    # -- numbers of one channel ----------------------------------------------------------------------------------------
    def numbers(self, channel: Channel) -> tuple[Histogram, float, float, dict[str, str]] | None:
        """Return histogram (counts, edges in sigma), present and unedited value in sigma, and scores in words."""
        if self.statistics is None:
            return None
        flat = channel.flat(self._layers)
        mean, spread = float(self.statistics.mean[flat]), float(self.statistics.std[flat]) or 1.0
        samples = (self.statistics.samples(channel) - mean) / spread
        present = float(self.measures[VALUE].values[flat]) if VALUE in self.measures else 0.0
        edit = edit_of(self._owner.value, flat)
        start = present - (edit.strength if edit is not None else 0.0)
        layer = self._layers[channel.layer]
        scores = {
            "layer": f"{layer_words(layer)} ({layer.name})",
            "kind": "colours (ToRGB)" if layer.kind == "torgb" else "shapes (convolution)",
            "value": f"{present:+.2f} σ",
            "mean ± σ": f"{mean:.3f} ± {spread:.3f}",
        }
        for name, measure in self.measures.items():
            if name != VALUE and np.isfinite(measure.values[flat]):
                scores[measure.words] = f"{measure.values[flat]:.3g} {measure.unit}".strip()
        for ranking in self.rankings.values():
            place = np.flatnonzero(ranking.order == flat)
            if len(place):
                scores[f"{ranking.measure}: rank"] = (
                    f"{place[0] + 1} of {len(ranking.order)} ({ranking.values[flat]:.3g})"
                )
        return np.histogram(samples, bins=40), present, start, scores


def base_of(latent: Latent, flat: int) -> Latent:
    """Return a latent without the edit of one channel."""
    edits = tuple(edit for edit in latent.edits if channel_of(edit) != flat)
    return latent if len(edits) == len(latent.edits) else latent.replace(edits=edits)
