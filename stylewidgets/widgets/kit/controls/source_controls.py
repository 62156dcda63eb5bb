"""Where the picture starts: seed, truncation, noise and class."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import ipywidgets as widgets

from ....latent.latent import Latent
from ..errors import reporting
from ..glossary import help_button
from ..parts import LABEL, WIDE, Change, ErrorPlace, column, control, note, quiet, row, say, show, slider
from ..sharing import shared_layout
from ..views.toolbar import Action, Toolbar
from .rows import Row, Rows

SEEDS = 2**32
"""Seeds are in [0, SEEDS), as numpy's RandomState takes them."""

RANDOM_SEEDS = 1_000_000
"""The random button draws below this: six digits can be read aloud and typed again."""

PSI = (-1.0, 1.5)


WORDS = (
    "seed",
    "ψ",
    "direction",
    "σ",
    "layers",
    "edit",
    "snapshot",
    "start",
    "noise",
    "walk",
    "latent",
    "z",
    "w",
    "w+",
)
"""What somebody who sees an explorer for the first time may want explained."""


def parse_seed(text: str) -> int:
    """Return the seed that was typed.

    Raises:
        ValueError: not a whole number in [0, 2**32).
    """
    try:
        seed = int(text.strip().replace(" ", "").replace(" ", "").replace("_", ""))
    except ValueError:
        seed = -1
    if not 0 <= seed < SEEDS:
        raise ValueError(f"a seed is a whole number from 0 to {SEEDS - 1}; {text.strip()!r} was given")
    return seed


def random_seed() -> int:
    """Return a seed that does not depend on, and does not disturb, anybody's random numbers."""
    return random.SystemRandom().randrange(RANDOM_SEEDS)


def main_seed(latent: Latent) -> int | None:
    """Return the seed of `latent`, the heaviest one of a blend, or None for a code."""
    if latent.blend:
        return max(latent.blend, key=lambda pair: pair[1])[0]
    return latent.seed


def start_from(latent: Latent, conditional: bool, **source: object) -> Latent:
    """Return `latent` with another seed or blend. A code needs no class; what replaces it does where there are classes."""
    if conditional and latent.label is None:
        source["label"] = 0
    return latent.replace(**source)


def describe_source(latent: Latent) -> str:
    """Return what the seed box cannot say: the seeds of a blend, or that there is a code; "" for a plain seed."""
    if latent.code is not None:
        return f"a code in {latent.code.space}; a seed replaces it"
    if latent.blend:
        heavy = sorted(latent.blend, key=lambda pair: -pair[1])[:4]
        return "between " + ", ".join(f"{seed} ({100 * weight:.0f} %)" for seed, weight in heavy)
    return ""


def psi_row(psi: float) -> Row:
    """Return the row of the truncation; one beyond the usual range widens it."""
    tip = "truncation ψ: 0 is the average face, 1 the face as drawn, below 0 its opposite"
    low, high = min(PSI[0], math.floor(psi)), max(PSI[1], math.ceil(psi * 2) / 2)
    return Row("psi", "ψ", psi, low, high, 0.01, tip=tip, home=None, open_ended=True)


class SourceControls(widgets.VBox):
    """One line with seed, die and psi; behind "…" steps of the seed, cutoff, noise, and the class where there are classes.

    Args:
        num_ws: rows of w+; the cutoff goes from 0 to here.
        classes: how many classes the generator has, 0 for none. Their menu then stands in sight.
        names: name of each class, by index; missing ones show their number.

    `help` explains the words; it stands wherever there is room for it.
    """

    def __init__(
        self, num_ws: int, change: Change, classes: int = 0, names: Sequence[str] | Mapping[int, str] = ()
    ) -> None:
        self._change = change
        self._num_ws = num_ws
        self._latent = Latent()
        self.place = ErrorPlace()
        self._seed = control(
            widgets.Text,
            tip="the number that the face grows from; Enter accepts it",
            on=lambda text: self._set_seed(lambda: parse_seed(text)),
            style={"description_width": "auto"},
            layout={"flex": "0 0 auto"},  # its width: desk.css
            description="seed",
            continuous_update=False,
            placeholder="number",
        )
        self._about = note("")
        self.psi = Rows([psi_row(1.0)], on_change=lambda _, psi: self._set(psi=psi), label="Truncation")
        self.psi.add_class("sw-beside")
        self._tools = Toolbar(
            [
                Action("dice", "a random seed (key r)", self.randomize, icon="dice", label="random"),
                Action("more", "more about the source: cutoff, noise", self._unfold, icon="settings", pressed=False),
            ],
            self.place,
            "Source",
            layout=shared_layout(),
        )
        self._seed.add_class("sw-seed")
        self.help = control(widgets.HTML, help_button(*WORDS))
        line = row(self._seed, self._tools, self.psi)
        line.add_class("sw-source")
        self._label = self._make_label(classes, names) if classes else None
        parts = [line, self.place, self._label, self._about]
        super().__init__([part for part in parts if part is not None], layout=shared_layout(**WIDE))

    @cached_property
    def _more(self) -> widgets.VBox:
        """What "…" shows, made when it is first asked for."""
        steps = Toolbar(
            [
                Action("previous", "previous seed", lambda: self._step(-1), icon="previous"),
                Action("next", "next seed", lambda: self._step(1), icon="next"),
            ],
            self.place,
            "Steps of the seed",
            layout=shared_layout(),
        )
        made = column(row(note("seed"), steps, self._noise), self._cutoff)
        made.add_class("sw-away")
        self.children += (made,)
        return made

    @cached_property
    def _cutoff(self) -> widgets.IntSlider:
        cutoff = self._latent.cutoff
        return slider(
            widgets.IntSlider,
            "cutoff",
            f"ψ acts on the rows of w+ below this one; {self._num_ws} means all rows",
            lambda rows: self._set(cutoff=None if rows >= self._num_ws else int(rows)),
            min=0,
            max=self._num_ws,
            value=self._num_ws if cutoff is None else cutoff,
        )

    @cached_property
    def _noise(self) -> widgets.Dropdown:
        return control(
            widgets.Dropdown,
            tip="the fine grain: as stored in the weights, drawn from a seed, left out, or as the TensorFlow scripts drew it",
            on=lambda mode: self._set(noise_mode=mode),
            style=LABEL,
            layout={"width": "170px"},
            description="noise",
            options=[("fixed", "const"), ("random", "random"), ("none", "none"), ("TensorFlow", "tf")],
            value=self._latent.noise_mode,
        )

    @cached_property
    def _noise_seed(self) -> widgets.Text:
        made = control(
            widgets.Text,
            tip="the number that the noise is drawn from; the TensorFlow scripts take the seed of the face",
            on=lambda text: self._change("noise_seed", lambda latent: latent.replace(noise_seed=parse_seed(text))),
            style={"description_width": "70px"},
            layout={"width": "160px"},
            description="noise seed",
            continuous_update=False,
        )
        self._more.children += (made,)
        return made

    def update(self, latent: Latent) -> None:
        """Bring the controls to `latent`."""
        self._latent = latent
        seed = main_seed(latent)
        with quiet(self._seed):  # an empty box is what a code has, and no seed that somebody typed
            self._seed.value = "" if seed is None else str(seed)
        self.place.error = ""
        say(self._about, describe_source(latent))
        self.psi.update([psi_row(latent.psi)])
        if "_more" in self.__dict__:
            self._cutoff.value = self._num_ws if latent.cutoff is None else latent.cutoff
            self._noise.value = latent.noise_mode
            drawn = latent.noise_mode in ("random", "tf")
            if drawn or "_noise_seed" in self.__dict__:
                self._noise_seed.value = str(latent.noise_seed)
                show(self._noise_seed, drawn)
        if self._label is not None:
            self._show_class(self._label, latent.label)

    def randomize(self) -> None:
        """Take a random seed."""
        self._set_seed(random_seed)

    def unfold(self, unfolded: bool = True) -> None:
        """Show what stands behind "…", or hide it."""
        (self._more.remove_class if unfolded else self._more.add_class)("sw-away")
        self._tools.change(more={"pressed": unfolded})
        self.update(self._latent)  # a seed of the noise may have to come into sight

    # -- inside ------------------------------------------------------------------------------------------------------
    def _unfold(self) -> None:
        self.unfold("_more" not in self.__dict__ or "sw-away" in self._more._dom_classes)

    def _make_label(self, classes: int, names: Sequence[str] | Mapping[int, str]) -> widgets.Dropdown:
        known = dict(names) if isinstance(names, Mapping) else dict(enumerate(names))
        options = [("no class", None), *((f"{i}: {known[i]}" if i in known else str(i), i) for i in range(classes))]
        return control(
            widgets.Dropdown,
            tip="the class that the generator is asked for",
            on=lambda label: self._set(label=label),
            style=LABEL,
            layout={"width": "260px", "max_width": "100%"},
            description="class",
            options=options,
        )

    def _show_class(self, menu: widgets.Dropdown, label: int | tuple[float, ...] | None) -> None:
        """Several classes at once have an entry of their own while they are shown: "3 × 0.5, 7 × 0.5"."""
        options = [option for option in menu.options if not isinstance(option[1], tuple)]
        if isinstance(label, tuple):
            parts = [f"{i} × {weight:g}" for i, weight in enumerate(label) if weight]
            words = ", ".join(parts[:4]) + (" …" if len(parts) > 4 else "")
            options.append((words or "none of the classes", label))
        with quiet(menu):
            if tuple(options) != menu.options:
                menu.options = options
            menu.value = label

    def _set(self, **change: object) -> None:
        (source,) = change
        self._change(source, lambda latent: latent.replace(**change))

    def _set_seed(self, seed: Callable[[], int]) -> None:
        with reporting(self.place):
            try:
                chosen = seed()
            except ValueError:
                self.update(self._latent)  # the box goes back to what is shown
                raise
            # A seed is a step of its own: two faces in a row are two steps back, however fast they were chosen.
            self._change("", lambda latent: start_from(latent, self._label is not None, seed=chosen))

    def _step(self, by: int) -> None:
        self._set_seed(lambda: ((main_seed(self._latent) or 0) + by) % SEEDS)
