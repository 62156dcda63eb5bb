"""Files of other tools by upload: a latent code, or directions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ....latent.latent import Latent
from ..errors import ShowsErrors, reporting
from ..parts import control, note, row, say, show
from ..sharing import shared_layout

if TYPE_CHECKING:
    from ....directions import DirectionSet
    from ....session.session import GeneratorSession

LARGEST = 8 << 20
"""Bytes of a file: a notebook server cuts a message of more than 10 MB, of which coding takes a third."""
CODES = ".npz,.npy,.pt,.pth,.pkl,.pickle,.safetensors,.json,.txt"
DIRECTIONS = ".npy,.npz,.pt,.pth,.pkl,.pickle,.safetensors,.txt"
WORDS = "Files of other tools: projected_w.npz, .npy, .pt of e4e, PTI or rosinality; boundaries, GANSpace, SeFa."


class FromTools(widgets.VBox):
    """Two buttons that take a file from the person's machine, and a menu where it has several codes. Below stands where the
    generator is from.

    Args:
        session: what the file has to fit.
        take: gets the latent of an uploaded code.
        view: shows what goes wrong.
        take_directions: gets uploaded directions, besides the session, whose list they join. Its words are shown.
    """

    def __init__(
        self,
        session: GeneratorSession,
        take: Callable[[Latent], object],
        view: ShowsErrors,
        take_directions: Callable[[DirectionSet], str] | None = None,
    ) -> None:
        self._session, self._take, self._view, self._take_directions = session, take, view, take_directions
        self._found: Mapping[str, Latent] = {}
        self.code = self._button("open a code", "a latent code of this or another tool", CODES, self.take_code)
        self.directions = self._button(
            "open directions", "directions of this or another tool", DIRECTIONS, self.take_direction_file
        )
        self.which = control(
            widgets.Dropdown,
            tip="which of the codes in the file",
            on=self._on_which,
            view=view,
            layout={"width": "230px", "max_width": "100%"},
            options=[],
        )
        show(self.which, False)
        self.said = note(WORDS)
        self.origin = note(session.origin)
        parts = [row(self.code, self.directions, self.which), self.said, self.origin]
        super().__init__(parts, layout=shared_layout(max_width="100%"))

    def take_code(self, name: str, content: bytes) -> None:
        """Take the first latent in the bytes of a file, and offer the others."""
        from ....exchange import read_latents  # torch comes along

        found = _read(lambda path: read_latents(path, self._session), name, content)
        self._found = found
        first = next(iter(found))
        self.which.options = list(found)
        show(self.which, len(found) > 1)
        if self.which.value == first:
            self._use(first)
        else:
            self.which.value = first

    def take_direction_file(self, name: str, content: bytes) -> None:
        """Take the directions in the bytes of a file."""
        from ....exchange import read_directions

        found: DirectionSet = _read(lambda path: read_directions(path, self._session), name, content)
        self._session.offer(found)
        words = self._take_directions(found) if self._take_directions else "they are in the list of directions"
        say(self.said, f"{len(found)} from {name}: {', '.join(list(found)[:4])}; {words}")

    def _use(self, name: str) -> None:
        latent = self._found[name]
        self._take(latent)
        space = "" if latent.code is None else f", a code in {latent.code.space}"
        say(self.said, f"{name}{space}")

    def _on_which(self, name: str | None) -> None:
        if name in self._found:
            self._use(str(name))

    def _button(self, label: str, tip: str, accept: str, take: Callable[[str, bytes], None]) -> widgets.FileUpload:
        made = control(
            widgets.FileUpload,
            tip=tip,
            layout={"width": "auto"},
            accept=accept,
            multiple=False,
            description=label,
        )

        def on(change: Mapping[str, Any]) -> None:
            for name, content in uploaded(change["new"]):
                with reporting(self._view, f"opening {name}"):
                    if len(content) > LARGEST:
                        raise ValueError(
                            f"it has {len(content):,} bytes; uploads take {LARGEST:,}. Put it beside the notebook and give its "
                            "path"
                        )
                    take(name, content)

        made.observe(on, "value")
        return made


def uploaded(value: object) -> list[tuple[str, bytes]]:
    """(name, content) of what a `FileUpload` holds, in ipywidgets 7 and 8."""
    if isinstance(value, Mapping):  # 7
        return [(str(name), bytes(one["content"])) for name, one in value.items()]
    files = value if isinstance(value, tuple | list) else ()
    return [(str(one["name"]), bytes(one["content"])) for one in files]


def _read(read: Callable[[Path], Any], name: str, content: bytes) -> Any:
    """What a reader makes of bytes under a name; errors name the file as the person does."""
    own = Path(name.replace("\\", "/")).name or "file"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / own
        path.write_bytes(content)
        try:
            return read(path)
        except ValueError as error:
            raise ValueError(str(error).replace(f"{folder}/", "").replace(str(path), own)) from error
