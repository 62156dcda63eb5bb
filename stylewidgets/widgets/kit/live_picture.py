"""A view that always shows the newest latent: pump, renderer and view wired together."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from PIL import Image

from ...core import pictures
from ...latent.caption import caption
from ...latent.latent import Latent
from ...render.ladder import Ladder
from ...render.overlap import WayBack, overlap_for
from ...render.pump import Frame, Pump
from ...render.stats import Stats
from .errors import report
from .order import page_message
from .sharing import shared_layout
from .static import SavedPicture
from .views.view import LiveView

if TYPE_CHECKING:
    from ...session.session import GeneratorSession


NOBODY = "nobody to draw yet"
"""What stands in the place of a picture whose generator was not given a source."""


class LivePicture:
    """Draws latents into a view of its own. Thread-safe; drawing happens in the caller of `submit`, on CUDA all but the
    encoding of frames in motion (see `stylewidgets.render.overlap`). Of a session on another machine no frame is waited for in
    the caller once a page is there.

    Attributes:
        view: the widget to put into a layout.
        stats: counts and times of the frames.
        latent: what the picture shows, None before the first frame.
        saved: the picture that a notebook keeps; brought up to date when the live one comes to rest.
        on_rest: called with the latent in sight when the picture has come to rest, after the better frame of it was sent.

    Args:
        session: draws.
        size: width of the view in css pixels.
        label: what the picture is, for screen readers.
        on_key: called with the keys that the view sends.
    """

    def __init__(
        self,
        session: GeneratorSession,
        size: int,
        label: str = "Live picture",
        on_key: Callable[[str], None] | None = None,
    ) -> None:

        self._session = session
        self._live, self._back = session.live(), WayBack()
        self._live.on_words = self._on_words
        self._to_save = self._at_rest = self._late = False
        self._words = ""
        self.latent: Latent | None = None
        self.on_rest: Callable[[Latent], None] | None = None
        self.view = LiveView(size=size, label=label, layout=shared_layout())
        self.saved = SavedPicture(size)
        self.stats = Stats(device=str(session.device))
        self._pump: Pump[Latent] = Pump(
            self._live.begin,
            self,
            ladder=Ladder(session.resolution),
            on_error=self._failed,
            stats=self.stats,
            overlap=overlap_for(self._live.device_type, answering_page),
        )
        self.view.on_ack = self._pump.acknowledge
        self.view.on_settle = self._settle
        self.view.on_hello = lambda dpr, width: self._hello()
        self.view.on_visible = self._set_visible
        self.view.on_key = on_key

    def submit(self, latent: Latent) -> None:
        """Show this latent as soon as possible; a newer one replaces it."""
        self.post(latent)
        self.draw()

    def post(self, latent: Latent) -> None:
        """Make this the newest latent without drawing it. Fast; whoever holds a lock posts in the order of his changes."""
        self._at_rest = self._late = False
        self._back.remember()
        self.view.stir()
        if self._nobody(latent):
            self.view.badge = NOBODY
            return
        self._pump.post(latent)

    def draw(self) -> None:
        """Draw what was posted, where nothing newer is drawn by then."""
        self._pump.tick()

    def thumbnail(self, latent: Latent, side: int) -> bytes:
        """Return a small JPEG of a latent; of the settled one without drawing anything."""
        if latent == self.latent and self._frame.final:
            image = pictures.read(self._frame.data)
            image.thumbnail((side, side), Image.Resampling.BOX)
            return pictures.encoded(image, "JPEG")
        return pictures.encoded(self._session.images([latent], resolution=side)[0], "JPEG")

    def render(self, latent: Latent) -> Image.Image:
        """Return `session.render(latent)`, from the frame that is shown where that is the same picture."""
        if latent == self.latent and self._frame.final:
            return pictures.read(self._frame.data)
        return self._session.render(latent)

    def png(self, latent: Latent) -> bytes:
        """Return `render` as PNG; of the picture that is shown without drawing or encoding anything. b"" where there is nobody
        to draw."""
        if self._nobody(latent):
            return b""
        if latent == self.latent and self._frame.final and self._frame.mime == "image/png":
            return bytes(self._frame.data)
        return pictures.encoded(self.render(latent), "PNG")

    def close(self) -> None:
        """Draw nothing more and listen to nothing."""
        self._pump.close()
        self._live.close()
        self.on_rest = None
        self.view.forget()

    def _nobody(self, latent: Latent) -> bool:
        session = self._session
        return session.needs_source and latent.source is None and session.first_source is None

    # -- for the pump --------------------------------------------------------------------------------------------------
    def show(self, frame: Frame) -> None:
        """Pass a frame to the view. Nothing else is sent while something moves: each message costs the next frame."""
        self._frame = frame
        self.latent = frame.value
        late = self._late and frame.final
        self.view.show_at_rest(frame) if late else self.view.show(frame)
        if self._at_rest or not self._pump.live:  # without a page nobody says when it rests
            self._say()
        self._save(at_rest=not self._pump.live)
        if late:
            self._late = False
            self._rested()

    def _failed(self, error: Exception, latent: Latent) -> None:
        report(self.view, error, f"drawing {caption(latent)}")

    def _say(self) -> None:
        """Bring words and figures to the picture."""
        if self.latent is not None:
            self.view.alt = caption(self.latent)
        self.view.status = self._words or self.stats.line()

    def _on_words(self, words: str) -> None:
        """The connection has something to say, on a thread of its own."""
        self._back.call(lambda: self._connected(words))

    def _connected(self, words: str) -> None:
        """Show how the connection is; once it is well again, what was asked for meanwhile is drawn."""
        self._words = words
        self._say()
        if not words:
            self.view.error = ""
            self._pump.settle()

    def _hello(self) -> None:
        """A page opens. It starts from the last final picture; if that is not the present one, because it was reloaded in
        the middle of a drag, the present one follows."""
        self._pump.hello()
        self._pump.settle()

    def _settle(self) -> None:
        self._at_rest = True
        self._back.remember()
        self._pump.settle()
        self._late = self._pump.finishing
        if not self._late:
            self._rested()

    def _rested(self) -> None:
        """The final picture of what rests was sent."""
        self._say()
        self._save(at_rest=True)
        if self.on_rest is not None and self.latent is not None:
            self.on_rest(self.latent)

    def _save(self, at_rest: bool) -> None:
        """Keep the picture that rests, once it is a final one: another thread may still be drawing that."""
        self._to_save |= at_rest
        if not (self._to_save and self._frame.final):
            return
        self._to_save = False
        words = f"{self.view.label}: {self.view.alt}"
        self.saved.update(self._frame.data, self._frame.mime, words)

    def _set_visible(self, visible: bool) -> None:
        self._pump.visible = visible


def answering_page() -> bool:
    """Whether this runs on account of a page's message, in a kernel that may send pictures after the end of it.

    A cell may go on for long after it has set a value, and the event loop stands still meanwhile. Colab does not show what
    is sent after the message that caused it has ended (googlecolab/colabtools#3373).
    """
    if "google.colab" in sys.modules:
        return False
    return bool(page_message())
