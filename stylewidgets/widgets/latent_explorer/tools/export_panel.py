"""The export of an animation: kind, size of the file, progress, pause and stop."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ....core.files import as_path
from ....film import mp4, video
from ....film.export import Export
from ...kit.compat import set_playing
from ...kit.errors import describe
from ...kit.parts import button, control, note, row, say, show
from ...kit.sharing import shared_layout

if TYPE_CHECKING:
    from .animation import Animator

POLL_MS = 200
KINDS = {"GIF": ".gif", "PNG frames (zip)": ".zip", "PNG frames (folder)": "", "MP4": ".mp4"}
PREVIEW_BYTES = 4_000_000


def open_writer(kind: str, path: Path, fps: float) -> video.Writer:
    """Return the writer of a kind in `KINDS`. Raises RuntimeError, with what to install, for MP4 without a codec."""
    if kind == "GIF":
        return video.GifWriter(path, fps)
    return mp4.open_mp4(path, fps) if kind == "MP4" else video.PngWriter(path)


class ExportPanel(widgets.VBox):
    """Writes the animator's film to a file while the notebook goes on.

    A daemon thread renders and writes; it touches no widget and ends with this one. The progress is read by a clock in
    the browser, inside its own message, which is what shows on every kernel. `result` is the last file's path.
    """

    def __init__(self, animator: Animator, folder: str | Path = ".") -> None:
        self._animator = weakref.ref(animator)
        self._folder = as_path(folder)
        self._export: Export | None = None
        self._ender: Callable[[], Any] | None = None
        self.result: Path | None = None
        self._make_controls()
        super().__init__(
            [
                row(self._kind, self._fps, self._name, self._start),
                row(self._bar, self._pause, self._stop),
                self._note,
                self._preview,
                self._clock,
            ],
            layout=shared_layout(max_width="100%"),
        )
        self._on_kind()
        self._update()

    @property
    def export(self) -> Export | None:
        """The running or last export."""
        return self._export

    def start(self) -> None:
        """Begin an export with the present settings; the reason is shown when it cannot begin."""
        if self._export is not None and self._export.active:
            return
        try:
            self._export = self._make_export()
        except Exception as error:  # noqa: BLE001  the edge of a callback: settings, disk or codec, shown here
            say(self._note, describe(error))
            return
        self._ender = weakref.finalize(self, self._export.stop)
        self._export.start()
        self._update()

    def close(self) -> None:
        """End a running export; its file keeps the frames so far."""
        ender = getattr(self, "_ender", None)  # absent when __init__ failed: ipywidgets closes from __del__
        if ender is not None:
            ender()
        super().close()

    # -- controls ---------------------------------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        self._kind = control(
            widgets.Dropdown,
            on=lambda _: self._on_kind(),
            style={"description_width": "44px"},
            layout={"width": "220px"},
            options=list(KINDS),
            description="export",
        )
        self._fps = control(
            widgets.BoundedIntText,
            25,
            tip="frames for each second of the film",
            style={"description_width": "26px"},
            layout={"width": "90px"},
            min=1,
            max=60,
            description="fps",
        )
        self._name = control(
            widgets.Text,
            "animation",
            tip="name of the file, without its ending; a number is added when it exists",
            style={"description_width": "40px"},
            layout={"width": "200px"},
            description="name",
        )
        self._start = button("export", "write the film to a file", self.start)
        self._pause = button("pause", "pause the export, or go on", self._on_pause)
        self._stop = button("stop", "end the export and keep the frames so far", self._on_stop)
        self._bar = control(widgets.IntProgress, tip="progress of the export", layout={"width": "200px"}, min=0, max=1)
        self._note = note("")
        self._preview = control(widgets.Image, layout={"max_width": "160px"}, format="gif")
        show(self._preview, False)
        self._clock = control(
            widgets.Play, on=lambda _: self._update(), layout={"display": "none"}, min=0, max=10**6, interval=POLL_MS
        )

    def _on_kind(self) -> None:
        why = mp4.why_not() if self._kind.value == "MP4" else ""
        self._start.disabled = bool(why)
        say(self._note, why)

    def _on_pause(self) -> None:
        if self._export is not None:
            if self._export.state == "running":
                self._export.pause()
            else:
                self._export.start()
            self._update()

    def _on_stop(self) -> None:
        if self._export is not None:
            self._export.stop()
            self._update()

    # -- work -------------------------------------------------------------------------------------------------------------

    def _make_export(self) -> Export:
        animator = self._animator()
        if animator is None:
            raise RuntimeError("this export panel's animator is gone: make a new one")
        name = self._name.value.strip()
        if not name or Path(name).name != name:
            raise ValueError(f"the name must be a plain file name without folders, not {name!r}")
        keyframes, fps = animator.keyframes, float(self._fps.value)
        film = video.frames(animator.session, keyframes, fps, animator.seconds, animator.ease, animator.closed)
        total = video.frame_count(len(keyframes), fps, animator.seconds, animator.closed)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = video.free_path(self._folder / (name + KINDS[self._kind.value]))
        return Export(film, open_writer(self._kind.value, path, fps), total)

    def _update(self) -> None:
        """Show how far the export is. Runs in the message of a button or of the browser's clock."""
        export = self._export
        active = export is not None and export.active
        for part in (self._bar, self._pause, self._stop):
            show(part, active)
        self._start.disabled = active or (self._kind.value == "MP4" and bool(mp4.why_not()))
        set_playing(self._clock, active and export is not None and export.state == "running")
        if export is None:
            return
        self._bar.max, self._bar.value = export.total, export.done
        self._pause.description = "pause" if export.state == "running" else "go on"
        count = f"{export.done} of {export.total} frames"
        if active:
            say(self._note, count if export.state == "running" else f"paused at {count}")
        elif self.result != export.path or not self._note.value:
            self._finish(export, count)

    def _finish(self, export: Export, count: str) -> None:
        self.result = export.path if export.path.exists() else None
        size = f", {export.path.stat().st_size / 1024:.0f} KiB" if export.path.is_file() else ""
        head = {"finished": "wrote", "stopped": "stopped; wrote", "failed": f"{export.error}; wrote"}[export.state]
        say(self._note, f"{head} {count} to {export.path}{size}" if self.result else f"{head} nothing")
        is_gif = self.result is not None and self.result.suffix == ".gif"
        fits = is_gif and export.path.stat().st_size <= PREVIEW_BYTES
        self._preview.value = export.path.read_bytes() if fits else b""
        show(self._preview, fits)
