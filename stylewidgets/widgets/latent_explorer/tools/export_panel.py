"""The export of an animation: kind, size of the file, progress, pause and stop."""

from __future__ import annotations

import mimetypes
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import ipywidgets as widgets

from ....core.files import as_path
from ....film import mp4, video
from ....film.export import KINDS, export
from ....jobs import DONE, FAILED, STOPPED, Run
from ....settings import Setting
from ...kit.controls.number import NumberBox
from ...kit.errors import describe
from ...kit.jobs import Jobs
from ...kit.parts import button, control, note, row, say, show
from ...kit.sharing import own, shared_layout
from ...kit.views.toolbar import Action, Toolbar

if TYPE_CHECKING:
    from ....latent.latent import Latent
    from ....session.session import GeneratorSession

PREVIEW_BYTES = 4_000_000
HEADS = {DONE: "wrote", STOPPED: "stopped; wrote"}


class Film(Protocol):
    """What is written: see `Animator`."""

    @property
    def session(self) -> GeneratorSession: ...
    @property
    def keyframes(self) -> tuple[Latent, ...]: ...
    @property
    def seconds(self) -> float: ...
    @property
    def ease(self) -> str: ...
    @property
    def closed(self) -> bool: ...


class ExportPanel(widgets.VBox):
    """Writes the animator's film to a file while the notebook goes on, frame by frame as the page's clock ticks.

    `result` is the last file's path, `export` the run that writes or wrote it.
    """

    error = ""
    """What went wrong, for the line below."""

    def __init__(self, animator: Film, folder: str | Path = ".", name: str = "animation") -> None:
        self._animator = weakref.ref(animator)
        self._folder = as_path(folder)
        self.export: Run[Path] | None = None
        self.result: Path | None = None
        self._work = Jobs(self)
        own(self._work).min_height = None  # no line before there is long work
        self._make_controls(name)
        super().__init__(
            [row(self._kind, self._fps, self._name, self._start, self._bar), self._work, self._note, self._preview],
            layout=shared_layout(max_width="100%"),
        )
        self._on_kind()

    def start(self) -> None:
        """Begin an export with the present settings; the reason is shown when it cannot begin."""
        if self._work.busy():
            return
        self.error = ""
        try:
            path, self.export = self._make_export()
        except Exception as error:  # noqa: BLE001  the edge of a callback: settings, disk or codec, shown here
            say(self._note, describe(error))
            return
        self._start.disabled = True
        say(self._note, "")
        self._work.run("writing the film", self.export, ended=lambda: self._finish(path))

    def finish(self) -> None:
        """Write all that is left now. For scripts, where no page ticks."""
        self._work.finish()

    def close(self) -> None:
        """End what is written; the file keeps the frames so far."""
        work = getattr(self, "_work", None)  # absent when __init__ failed: ipywidgets closes from __del__
        if work is not None:
            work.close()
        super().close()

    # -- controls ---------------------------------------------------------------------------------------------------------

    def _make_controls(self, name: str) -> None:
        self._kind = control(
            widgets.Dropdown,
            on=lambda _: self._on_kind(),
            style={"description_width": "92px"},
            layout={"width": "250px", "max_width": "100%"},
            options=list(KINDS),
            description="format",
        )
        self._fps = NumberBox(
            Setting("fps", 25, "frames for each second of the film", low=1, high=60),
            style={"description_width": "92px"},
            layout={"width": "250px", "max_width": "100%"},
        )
        self._name = control(
            widgets.Text,
            name,
            tip="name of the file, without its ending; a number is added when it exists",
            style={"description_width": "92px"},
            layout={"width": "250px", "max_width": "100%"},
            description="name",
        )
        self._start = button("export", "write the film to a file beside the notebook", self.start, primary=True)
        get = Action("download", "download the file that was written", self._hand_out, icon="download", disabled=True)
        self._bar = Toolbar([get], self, "Film", layout=shared_layout())
        self._note = note("")
        self._preview = control(widgets.Image, layout={"max_width": "160px"}, format="gif")
        show(self._preview, False)

    def _on_kind(self) -> None:
        why = mp4.why_not() if self._kind.value == "MP4" else ""
        self._start.disabled = bool(why)
        say(self._note, why)

    def _hand_out(self) -> None:
        if self.result is not None and self.result.is_file():
            mime = mimetypes.guess_type(self.result.name)[0] or "application/octet-stream"
            self._bar.download(self.result.name, self.result.read_bytes(), mime)

    # -- work -------------------------------------------------------------------------------------------------------------

    def _make_export(self) -> tuple[Path, Run[Path]]:
        animator = self._animator()
        if animator is None:
            raise RuntimeError("this export panel's animator is gone: make a new one")
        name = self._name.value.strip()
        if not name or Path(name).name != name:
            raise ValueError(f"the name must be a plain file name without folders, not {name!r}")
        fps, keyframes = float(self._fps.value), animator.keyframes
        video.check_film(len(keyframes), fps, animator.seconds, animator.ease)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = video.free_path(self._folder / (name + KINDS[self._kind.value]))
        return path, export.start(
            animator.session,
            keyframes,
            path,
            fps=fps,
            seconds=animator.seconds,
            ease=animator.ease,
            closed=animator.closed,
        )

    def _finish(self, path: Path) -> None:
        run = self.export
        assert run is not None
        self._start.disabled = self._kind.value == "MP4" and bool(mp4.why_not())
        self.result = path if path.exists() else None
        self._bar.update(download=not path.is_file())
        size = f", {path.stat().st_size / 1024:.0f} KiB" if path.is_file() else ""
        head = f"{self.error}; wrote" if run.status == FAILED else HEADS[run.status]
        count = f"{run.progress.done} of {run.progress.total} frames"
        say(self._note, f"{head} {count} to {path}{size}" if self.result else f"{head} nothing")
        fits = path.suffix == ".gif" and path.is_file() and path.stat().st_size <= PREVIEW_BYTES
        self._preview.value = path.read_bytes() if fits else b""
        show(self._preview, fits)
