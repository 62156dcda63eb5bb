"""What a server has: its models, each with a hub and a thread of its own, who may come in, and how it goes down."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__, domain, jobs
from ..inversion.catalogue import METHODS
from ..mixing.renderer import GridRenderer
from ..remote.about import About
from ..remote.messages import VERSION, RemoteError
from ..session.session import GeneratorSession
from .desk import CACHES, Desk
from .held import Held
from .hub import Hub
from .purse import Purse
from .tokens import Tokens
from .uploads import Uploads

ENCODERS = 2
"""Threads that encode large pictures beside the next frame."""


@dataclass(frozen=True)
class Model:
    """One model that is served."""

    name: str
    session: GeneratorSession
    desk: Desk
    hub: Hub
    about: Mapping[str, Any]
    directions: bytes


class Serving:
    """Everything behind the app.

    Args:
        sessions: by the name that clients say; the first is the default.
        tokens: who may use them.
        share: of the device's time for one token, see `Purse`.
        caches: bytes of activations of one model.
        batches: whether to measure which batches pay, and make them.

    Attributes:
        going: whether it goes down.
    """

    def __init__(
        self,
        sessions: Mapping[str, GeneratorSession],
        tokens: Tokens | None = None,
        *,
        share: float | None = None,
        caches: int = CACHES,
        batches: bool = True,
    ) -> None:
        if not sessions:
            raise ValueError("a server has one model at least; none was given")
        self.tokens, self._share = tokens or Tokens(None), share
        self.held, self.uploads = Held(), Uploads()
        self.going = False
        self._purses: dict[str, Purse] = {}
        self.workers = ThreadPoolExecutor(ENCODERS, "stylewidgets-encoder")
        self.models = {name: self._model(name, session, caches, batches) for name, session in sessions.items()}
        self._threads: list[threading.Thread] = []

    def _model(self, name: str, session: GeneratorSession, caches: int, batches: bool) -> Model:
        desk = self._desk(session, caches, batches)
        hub = Hub(desk, self._beside)
        return Model(name, session, desk, hub, described(session), _file(session.directions.save, ".safetensors"))

    def _desk(self, session: GeneratorSession, caches: int, batches: bool) -> Desk:
        return Desk(session, self.held, caches, batches=batches)

    def _beside(self, work: Callable[[], None]) -> object:
        return self.workers.submit(work)

    # -- going up and down ---------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the threads."""
        for model in self.models.values():
            thread = threading.Thread(target=model.hub.run, name=f"stylewidgets-{model.name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Answer what waits with an error and end the threads."""
        self.going = True
        for model in self.models.values():
            model.hub.close()
        for thread in self._threads:
            thread.join(timeout=10)
        self.workers.shutdown(wait=False, cancel_futures=True)

    def tidy(self) -> None:
        """Drop what belongs to clients that have been away for too long."""
        for model in self.models.values():
            model.hub.tidy()
        for owner in self.held.tidy():
            self.uploads.forget(owner)

    # -- what clients ask for ------------------------------------------------------------------------------------------
    def model(self, name: object) -> Model:
        """A model by its name, the default for none. `RemoteError` 404 where there is no such."""
        if not name:
            return next(iter(self.models.values()))
        if not isinstance(name, str) or name not in self.models:
            raise RemoteError(f"there is no model {str(name)[:60]!r} here, but {', '.join(self.models)}", 404)
        return self.models[name]

    def purse(self, owner: str) -> Purse:
        """Of a token."""
        return self._purses.setdefault(owner, Purse(self._share))

    @property
    def healthy(self) -> bool:
        """Whether it takes requests, and can answer them."""
        return not self.going and all(model.desk.memory.ok for model in self.models.values())

    def health(self) -> dict[str, Any]:
        """What `/v1/health` says."""
        first = self.model(None)
        queues = [model.hub.queue for model in self.models.values()]
        return {
            "ok": self.healthy,
            "version": VERSION,
            "stylewidgets": __version__,
            "name": first.name,
            "device": str(first.session.device),
            "queue": {name: sum(queue[name] for queue in queues) for name in queues[0]},
        }


def described(session: GeneratorSession) -> dict[str, Any]:
    """What `/v1/models/M` says: see `remote.about.About`."""
    about = About.of(
        session,
        at_once=GridRenderer(session).at_once,
        jobs=tuple(jobs.kinds()),
        methods={name: method.why_not(session) for name, method in METHODS.items()},
        domain=_domain(session),
    )
    return about.to_dict()


def _domain(session: GeneratorSession) -> dict[str, tuple[str, ...]]:
    known = domain.of(session)
    if known is None:
        return {}
    found: dict[str, tuple[str, ...]] = {"name": (known.name,)}
    if known.reader is not None:
        found["reader"] = tuple(known.reader().names)
    if known.segmenter is not None:
        found["segmenter"] = tuple(known.segmenter().names)
    return found


def _file(save: Callable[[str], object], suffix: str) -> bytes:
    """What `save(path)` writes."""
    with tempfile.TemporaryDirectory(prefix="stylewidgets-") as folder:
        path = Path(folder) / f"file{suffix}"
        save(str(path))
        return path.read_bytes()
