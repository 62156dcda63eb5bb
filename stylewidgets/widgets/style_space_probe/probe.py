"""StyleSpaceProbe: every channel of style space, seen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

import ipywidgets as widgets
import traitlets
from numpy.typing import ArrayLike

from ...core.checks import check_int
from ...core.files import as_path
from ...latent.latent import Direction, Latent
from ...mixing.figures import save_figure
from ...stylespace import Channel, Ranking, Reader, Report
from ..kit.base import StateWidget
from ..kit.controls.source_controls import random_seed, start_from
from ..kit.errors import reporting
from ..kit.jobs import Jobs
from ..kit.live_picture import LivePicture
from ..kit.sharing import shared_layout
from ..kit.state_lock import STATE
from ..kit.views.channel_map import ChannelMap, page_layers
from .edits import add_to_file, as_direction, edit_of, edited_channels, moved
from .panels import ProbePanels
from .search import ProbeSearch
from .steps import Segment

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image

    from ...session.session import GeneratorSession
    from ..latent_explorer.explorer import LatentExplorer
    from ..style_mix_grid.grid import StyleMixGrid

T = TypeVar("T")
SAMPLES = 2000


class StyleSpaceProbe(StateWidget[Latent]):
    """The channels of style space (Wu, Lischinski, Shechtman, CVPR 2021): a map of all, the effect of one, and search.

    `value` is the only state: moving a channel edits the latent, and whatever assigns it (a control, undo, a cell,
    `traitlets.link` with an explorer) moves controls, map and pictures. `selected` is the channel under the lens.

    Args:
        session: draws.
        value: where to start. None: seed 0.
        explorer, grid: a `LatentExplorer` and a `StyleMixGrid` that `send` and the buttons give the latent to.
        samples: how many random pictures the mean and spread of each channel are taken over.
        segment: finds the regions of a picture, for search by region; see `Segment`. None: that of the domain, exact for avatars.
        regions: names of its labels.
        reader: a `stylespace.Reader` of attributes, for search and the report. None: that of the domain.
        size: width of the live picture in css pixels.

    Raises:
        TypeError: an unknown keyword, with the nearest one that exists.
        ValueError: `value` does not fit the generator.
    """

    value = traitlets.Instance(Latent)
    """The current `Latent`. Assign, observe or link it; one that does not fit the generator raises."""
    selected = traitlets.Instance(Channel, allow_none=True)
    """The selected `Channel`, or None."""

    KEYS: ClassVar[dict[str, str]] = {**StateWidget.KEYS, "r": "randomize"}

    def __init__(
        self,
        session: GeneratorSession,
        value: Latent | None = None,
        *,
        explorer: LatentExplorer | None = None,
        grid: StyleMixGrid | None = None,
        samples: int = SAMPLES,
        segment: Segment | None = None,
        regions: Sequence[str] | None = None,
        reader: Reader | None = None,
        size: int = 300,
    ) -> None:
        start = session.latent(seed=0) if value is None else session.check(value)
        self._layers = session.layers
        self.explorer, self.grid = explorer, grid
        view = ChannelMap(layers=page_layers(self._layers), layout=shared_layout())
        self.picture = LivePicture(session, size, "Live picture of the probe", on_key=self._on_key)
        self._work = Jobs(view)
        super().__init__(session, start, view, self.picture.saved, "sw-probe")
        self.search = ProbeSearch(self, self._work, check_int("samples", samples, 2), segment, regions, reader)
        self._panels = ProbePanels(self, self._work)
        self._listen()
        self.picture.submit(start)
        self._begin(*self._panels.parts)
        self.observe(self._on_selected, "selected")

    # -- what it shows -------------------------------------------------------------------------------------------------
    @property
    def image(self) -> Image.Image:
        """The picture of `value` as a PIL image of the generator's full size, drawn now."""
        return self.session.render(self.value)

    def strength(self, channel: Channel | str) -> float:
        """Return how far an edit moves this channel, in sigma; 0 where none does."""
        edit = edit_of(self.value, self._channel(channel).flat(self._layers))
        return 0.0 if edit is None else edit.strength

    def finish(self) -> None:
        """Do all computation that is under way now. Where no page is displayed nothing else would."""
        self.search.start()
        self._work.finish()

    def figure(self) -> Figure:
        """Return the effect of the selected channel as a `matplotlib.figure.Figure`: pictures, heat, distribution."""
        from .figure import effect_figure

        if self.selected is None:
            raise ValueError("no channel is selected: click one on the map, or probe.select('3_12')")
        return effect_figure(self.session, self.value, self.selected, self.search.need_statistics(), self.sigmas)

    @property
    def sigmas(self) -> Sequence[float]:
        """What the pictures of the selected channel add to it, in sigma."""
        return self._panels.effect.sigmas

    # -- going somewhere -----------------------------------------------------------------------------------------------
    def select(self, channel: Channel | str | None) -> None:
        """Select a channel: a `Channel`, a name such as "6_50" (layer_channel), or None.

        Raises:
            ValueError: there is no such channel.
        """
        self.selected = None if channel is None else self._channel(channel)

    def set_strength(self, channel: Channel | str, sigmas: float) -> None:
        """Move a channel by so many standard deviations: an edit of `value`, which 0 sets back."""
        self._move(self._channel(channel), sigmas)

    def randomize(self) -> None:
        """Take a random seed; psi, noise and edits stay."""
        with STATE:
            self.value = start_from(self.value, self.session.c_dim > 0, seed=random_seed())

    # -- searching -----------------------------------------------------------------------------------------------------
    def find_place(self, mask: ArrayLike | None = None, region: str | int | None = None, pictures: int = 1) -> Ranking:
        """Return the `stylespace.Ranking` of channels by how local their effect is to a place. Shows progress.

        Args:
            mask: [h, w], true inside; None takes `region`, or else what is painted.
            region: name or number of a region, where the generator has them.
            pictures: how many pictures a region is looked up in: this one and others with the same edits.

        Raises:
            ValueError: the place is empty, or there is no such region.
        """
        return self._found(self.search.find_place(mask, region, pictures, now=True))

    def find_examples(self, positives: Iterable[Latent | int]) -> Ranking:
        """Return the `stylespace.Ranking` of channels by θ, what 10 to 30 pictures have in common: seeds or latents."""
        return self.search.find_examples(positives)

    def find_attribute(self, name: str, kind: str = "effect") -> Ranking:
        """Return the `stylespace.Ranking` of channels for an attribute, such as "smile" of avatars.

        Args:
            kind: "effect" ranks by what a channel does to the reading and how little to the others, "correlation" by what
                goes with it over all samples.
        """
        return self._found(self.search.find_attribute(name, kind, now=True))

    def report(self, anew: bool = False) -> Report:
        """Return the `stylespace.Report` of Z, W, W+ and S: channels by factor, `dci`, dependency curves and `figure()`.

        That of a bundled generator comes with it. Others take minutes; what is finished is kept on disk.

        Args:
            anew: measure even if one comes with the generator.
        """
        found: list[Report] = []
        self.search.make_report(found.append, now=True, anew=anew)
        return self._found(found[0] if found else None)

    def _found(self, result: T | None) -> T:
        if result is None:
            raise RuntimeError(self.view.error or "the search was stopped")
        return result

    # -- edits ---------------------------------------------------------------------------------------------------------
    def save_direction(self, name: str, path: str | os.PathLike[str] | None = None) -> Direction:
        """Make the channel edits of `value` one direction and return it; the picture stays the same.

        Args:
            name: of the direction.
            path: a .npz or .safetensors file that it is written to as well, after those that the file has.
        """
        edited, direction = as_direction(self.session, self.value, name, self.search.need_statistics())
        if path is not None:
            add_to_file(self.session, direction, as_path(path))
        self.change("", lambda _: edited)
        return direction

    def send(self, target: widgets.Widget | None = None) -> widgets.Widget:
        """Give `value` to a `LatentExplorer`, or to a `StyleMixGrid` as another row, and return it.

        None: `self.explorer`, or a new one beside the probe.
        """
        return self._panels.beside.send(self.session, self.value, target or self.explorer)

    # -- files and code ------------------------------------------------------------------------------------------------
    def save_figure(self, path: str | os.PathLike[str]) -> Path:
        """Write `figure()` as .svg or .pdf (text stays text) or .png, and return the path."""
        return save_figure(self.figure(), path)

    # -- wiring --------------------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """Bring the controls to the value again."""
        with STATE:
            self._refresh()

    def move_selected(self, sigmas: float) -> None:
        """Set the strength of the selected channel, on behalf of a control."""
        if self.selected is not None and not self._updating:
            with reporting(self.view):
                self._move(self.selected, sigmas)

    def _move(self, channel: Channel, sigmas: float) -> None:
        with STATE:
            flat = channel.flat(self._layers)
            if sigmas == 0.0 and edit_of(self.value, flat) is None:
                return
            direction = self.search.direction(channel, self.value)
            self.change(f"channel {flat}", lambda latent: moved(latent, direction, sigmas))

    def _channel(self, channel: Channel | str) -> Channel:
        """A channel that this generator has."""
        if isinstance(channel, str):
            return Channel.parse(channel, self._layers)
        if not isinstance(channel, tuple) or len(channel) != 2:
            raise TypeError(f"a Channel or a name such as '6_50' is expected; {type(channel).__name__} was given")
        made = Channel(*channel)
        made.flat(self._layers)  # raises where there is none
        return made

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Mapping[str, Channel | str | None]) -> Channel | None:
        return None if proposal["value"] is None else self._channel(proposal["value"])

    def _words(self) -> str:
        return f"{self.search.size} channels"

    def _update(self) -> None:
        flat = -1 if self.selected is None else self.selected.flat(self._layers)
        self.view.selected, self.view.marked = flat, edited_channels(self.value)
        self._panels.update(self.value)

    def _follow(self, old: Latent, new_step: bool) -> None:
        value = self.value
        STATE.afterwards((id(self), "picture"), lambda: self.picture.submit(value))
        self.search.value_changed()

    def _displayed(self) -> None:
        self.search.start()  # the page builds its view meanwhile

    def _end(self) -> None:
        self._work.close()
        self.view.forget()
        self.picture.close()

    def _on_selected(self, _: object) -> None:
        with STATE:
            self._refresh()
            self.search.effect_changed()

    def _listen(self) -> None:
        def hello() -> None:
            self._work.hello()
            self.search.start()

        self.view.on_hello = hello
        self.view.on_pick = lambda flat: self._guard(lambda: self.select(Channel.of(flat, self._layers)))
        self.view.on_name = lambda text: self._guard(self.select, text)
        self.view.on_key = self._on_key
        settle = self.picture.view.on_settle

        def on_settle() -> None:
            if settle is not None:
                settle()
            self.search.settled()
            self._panels.rest()

        self.picture.view.on_settle = on_settle
