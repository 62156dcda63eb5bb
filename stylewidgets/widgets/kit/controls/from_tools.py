"""Files of other tools: a latent code or directions by upload, and the present ones handed out as such tools read them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ....latent.latent import Direction, Latent
from ....latent.move import Move
from ..parts import ErrorPlace, control, note, quiet, row, say, show
from ..sharing import shared_layout
from ..views.toolbar import Action, Toolbar

if TYPE_CHECKING:
    from ....directions import DirectionSet
    from ....session.session import GeneratorSession

CODES = ".npz,.npy,.pt,.pth,.pkl,.pickle,.safetensors,.json,.txt"
DIRECTIONS = ".npy,.npz,.pt,.pth,.pkl,.pickle,.safetensors,.txt"
WORDS = "Files of other tools: projected_w.npz, .npy, .pt of e4e, PTI or rosinality; boundaries, GANSpace, SeFa."
BYTES = "application/octet-stream"
NARROW = {"width": "230px", "max_width": "100%"}


class FromTools(widgets.VBox):
    """Buttons that take a file from the person's machine or hand one out, and menus where there are several. What went wrong
    stands right below them, and then where the generator is from.

    Args:
        session: what the file has to fit.
        take: gets the latent of an uploaded code.
        current: the latent that is handed out; None while there is none.
        take_directions: gets uploaded directions, besides the session, whose list they join. Its words are shown.
    """

    def __init__(
        self,
        session: GeneratorSession,
        take: Callable[[Latent], object],
        current: Callable[[], Latent | None],
        take_directions: Callable[[DirectionSet], str] | None = None,
    ) -> None:
        self._session, self._take, self._current, self._take_directions = session, take, current, take_directions
        self._found: Mapping[str, Latent] = {}
        self.place = ErrorPlace()
        tip = "of this or another tool, from a file of your machine"
        npz, pt, npy = (
            "w+ for a projector, key “w”",
            "w+ as a tensor, for e4e, PTI, StyleCLIP",
            "one σ long, for other tools",
        )
        self.incoming = Toolbar(
            [
                Action("code", f"a latent code {tip}", self.take_code, "upload", "open a code", accept=CODES),
                Action(
                    "directions", f"directions {tip}", self.take_direction_file, "upload", "open directions",
                    accept=DIRECTIONS,
                ),
            ],
            self.place,
            "open files of other tools",
            layout=shared_layout(margin="2px"),
        )  # fmt: skip
        self.outgoing = Toolbar(
            [
                Action("npz", f"download the code: {npz}", partial(self._hand_out_code, ".npz"), "download", "code .npz"),
                Action("pt", f"download the code: {pt}", partial(self._hand_out_code, ".pt"), "download", "code .pt"),
                Action("npy", f"download the direction: {npy}", self._hand_out_direction, "download", "direction .npy"),
            ],
            self.place,
            "save files for other tools",
            layout=shared_layout(margin="2px"),
        )  # fmt: skip
        self.which = control(
            widgets.Dropdown, tip="which of the codes in the file", on=self._on_which, view=self.place, layout=NARROW,
            options=[],
        )  # fmt: skip
        self.direction = control(
            widgets.Dropdown, tip="which of the picture's directions is saved", layout=NARROW, options=[]
        )
        show(self.which, False)
        self.said = note(WORDS)
        self.origin = note(session.origin)
        parts = [row(self.incoming, self.which), row(self.outgoing, self.direction), self.place, self.said, self.origin]
        super().__init__(parts, layout=shared_layout(max_width="100%"))
        self.refresh()

    def refresh(self) -> None:
        """Offer what can be handed out of the present picture."""
        latent = self._current()
        names = list(self._moves())
        if tuple(names) != self.direction.options:
            before = self.direction.value
            with quiet(self.direction):
                self.direction.options = names
                self.direction.value = before if before in names else names[0] if names else None
        show(self.direction, len(names) > 1)
        none = latent is None or latent.in_s
        self.outgoing.update(npz=none, pt=none, npy=not names)

    # -- in ----------------------------------------------------------------------------------------------------------
    def take_code(self, name: str, content: bytes) -> None:
        """Take the first latent in the bytes of a file, and offer the others."""
        from ....exchange import read_latents  # torch comes along

        self._forget()
        found = _read(lambda path: read_latents(path, self._session), name, content)
        first = next(iter(found))
        with quiet(self.which):
            self.which.options = list(found)
            self.which.value = first
        self._found = found
        show(self.which, len(found) > 1)
        self._use(first)

    def take_direction_file(self, name: str, content: bytes) -> None:
        """Take the directions in the bytes of a file."""
        from ....exchange import read_directions

        self._forget()
        found: DirectionSet = _read(lambda path: read_directions(path, self._session), name, content)
        self._session.offer(found)
        words = self._take_directions(found) if self._take_directions else "they are in the list of directions"
        say(self.said, f"{len(found)} from {name}: {', '.join(list(found)[:4])}; {words}")
        self.refresh()

    def _forget(self) -> None:
        """What was said of the file before is no word about this one."""
        say(self.said, "")
        show(self.which, False)
        self._found = {}

    def _use(self, name: str) -> None:
        latent = self._found[name]
        self._take(latent)
        space = "" if latent.code is None else f", a code in {latent.code.space}"
        say(self.said, f"{name}{space}")
        self.refresh()

    def _on_which(self, name: str | None) -> None:
        if name in self._found:
            self._use(str(name))

    # -- out ---------------------------------------------------------------------------------------------------------
    def _moves(self) -> dict[str, Direction]:
        latent = self._current()
        return {} if latent is None else {e.name: e.direction for e in latent.edits if isinstance(e, Move)}

    def _hand_out_code(self, suffix: str) -> None:
        from ....exchange.writing import code_bytes

        latent = self._current()
        if latent is None:
            raise ValueError("there is no picture yet whose code could be saved")
        name = f"{'seed-' + str(latent.seed) if latent.code is None else 'code'}{suffix}"
        self.outgoing.download(name, code_bytes(suffix, self._session, latent), BYTES)
        say(self.said, f"{name}: w+ of this picture, with its truncation and edits in z and w")

    def _hand_out_direction(self) -> None:
        from ....exchange.writing import direction_bytes, direction_name

        moves = self._moves()
        if self.direction.value not in moves:
            raise ValueError("this picture has no direction to save; add one first")
        direction = moves[self.direction.value]
        name = direction_name(direction)
        self.outgoing.download(name, direction_bytes(direction), BYTES)
        say(self.said, f"{name}: a direction in {direction.space}, one σ long")


def _read(read: Callable[[Path], Any], name: str, content: bytes) -> Any:
    """What a reader makes of bytes under a name; errors name the file as the person does."""
    own = Path(name.replace("\\", "/")).name or "file"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / own
        path.write_bytes(content)
        try:
            return read(path)
        except ValueError as error:
            text = str(error).replace(str(path), own)
            raise ValueError(text.removeprefix(f"{own}: ").replace(f"{own} is ", "it is ", 1)) from error
