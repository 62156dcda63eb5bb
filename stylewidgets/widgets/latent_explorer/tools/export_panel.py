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
from ...kit.compat import button, set_playing, set_tooltip
from ...kit.errors import describe
from ...kit.parts import note, row, say, show

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
            layout=widgets.Layout(max_width="100%"),
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
        self._kind = widgets.Dropdown(options=list(KINDS), description="export", layout=widgets.Layout(width="220px"))
        self._fps = widgets.BoundedIntText(25, min=1, max=60, description="fps", layout=widgets.Layout(width="90px"))
        set_tooltip(self._fps, "frames for each second of the film")
        self._name = widgets.Text("animation", description="name", layout=widgets.Layout(width="200px"))
        set_tooltip(self._name, "name of the file, without its ending; a number is added when it exists")
        for control, width in ((self._kind, "44px"), (self._fps, "26px"), (self._name, "40px")):
            control.style.description_width = width
        self._start = button("export", "write the film to a file", self.start)
        self._pause = button("pause", "pause the export, or go on", self._on_pause)
        self._stop = button("stop", "end the export and keep the frames so far", self._on_stop)
        self._bar = widgets.IntProgress(min=0, max=1, layout=widgets.Layout(width="200px"))
        set_tooltip(self._bar, "progress of the export")
        self._note = note("")
        self._preview = widgets.Image(format="gif", layout=widgets.Layout(max_width="160px", display="none"))
        self._clock = widgets.Play(min=0, max=10**6, interval=POLL_MS, layout=widgets.Layout(display="none"))
        self._clock.observe(lambda _: self._update(), "value")
        self._kind.observe(lambda _: self._on_kind(), "value")

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
        for control in (self._bar, self._pause, self._stop):
            show(control, active)
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
