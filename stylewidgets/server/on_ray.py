"""The app on a cluster of Ray: Ray Serve finds a machine with a GPU for it, and starts it anew where it dies."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..jobs.plans.ray import joined
from ..remote.messages import RemoteError

if TYPE_CHECKING:
    from .app import App

NAME = "stylewidgets"
GRACE = 5
"""Seconds that a replica has to end. A socket counts as work under way, and would hold it for as long as its client stays."""
AT_ONCE = 1000
"""Requests and sockets of a replica: it has queues of its own, in which a drag does not wait for its turn."""
TELLING = 5.0
"""Seconds for all clients to be told."""


def serve_on_ray(args: argparse.Namespace, make: Callable[[], App], ready: Callable[[], object]) -> int:
    """Serve on the cluster of $RAY_ADDRESS until SIGTERM or an interrupt; returns 0.

    One replica, on a GPU of its own where the cluster has one: uploads, caches and long work of a client are known to the
    replica that it talks to. More models on more GPUs are more commands, with a port and a cluster each.

    Args:
        args: of the command line; host, port, certfile, keyfile and device are used here.
        make: the app, on the machine of the replica.
        ready: called once it answers.

    Raises:
        ImportError: Ray Serve is not installed.
        ValueError: $RAY_ADDRESS is not set.
    """
    ray, own = joined()
    from ray import serve  # after `joined`, which says how it is installed

    gpus = int(args.device == "cuda" or (args.device is None and ray.cluster_resources().get("GPU", 0) >= 1))
    options: dict[str, Any] = {"host": args.host, "port": args.port}
    if args.certfile:
        options |= {"ssl_certfile": str(args.certfile), "ssl_keyfile": str(args.keyfile)}
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    serve.start(http_options=options)
    deployment = serve.deployment(
        serve.ingress(_builder(make))(Replica),
        name=NAME,
        num_replicas=1,
        max_ongoing_requests=AT_ONCE,
        graceful_shutdown_timeout_s=GRACE,
        graceful_shutdown_wait_loop_s=0.1,
        ray_actor_options={"num_cpus": 1, "num_gpus": gpus},
    )
    if NAME in serve.status().applications:
        _tell(serve.get_app_handle(NAME))  # that one goes; its sockets would only be cut
    mark = secrets.token_hex(8)
    handle = serve.run(deployment.bind(mark), name=NAME, route_prefix="/")
    try:
        ready()
        ending.wait()
    finally:
        if _mark(handle) in (mark, None):  # else another command has put its own in this place
            _tell(handle)
            serve.delete(NAME)
        if own:
            ray.shutdown()
    return 0


def _tell(handle: Any) -> None:
    """Let every replica tell its clients. One that does not answer has none to tell, or ends on its own."""
    with contextlib.suppress(TimeoutError):
        handle.broadcast("go_down").results(timeout_s=TELLING)


def _mark(handle: Any) -> str | None:
    """The mark of the application that is there; None where it does not answer."""
    try:
        return str(handle.mark_of.remote().result(timeout_s=TELLING))
    except (TimeoutError, RuntimeError):
        return None


class Replica:
    """What Ray Serve runs. `serve.ingress` gives it the app.

    Args:
        mark: of the command that put it there.
    """

    app: App

    def __init__(self, mark: str) -> None:
        self._mark = mark

    async def mark_of(self) -> str:
        """Whose it is."""
        return self._mark

    async def go_down(self) -> None:
        """Tell every client of this replica, and take no more."""
        await self.app.go_down()

    def check_health(self) -> None:
        """Asked by Ray now and then; a replica that fails is replaced."""
        if not self.app.serving.going and not self.app.serving.healthy:
            raise RemoteError("the device has no memory left", 503)


def _builder(make: Callable[[], App]) -> Callable[[], App]:
    """A plain function, which Ray calls on the machine of the replica."""

    def build() -> App:
        return make()

    return build
