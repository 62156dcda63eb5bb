"""``stylewidgets serve``: sessions on this machine for notebooks on others."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import ipaddress
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..core.options import Options
from . import tokens

if TYPE_CHECKING:
    from .app import App

DESCRIPTION = (
    "Serve sessions on this machine to notebooks on others: stylewidgets.connect(address, token=…) there. On loopback "
    "without a token; for other machines one is needed, and TLS by a certificate or a proxy in front."
)
DRAIN = 10
"""Seconds that answers under way have when the server goes down."""


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 (any) to 65535")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share; give a number above 0 and up to 1")
    return share


OPTIONS: Options = {
    "--model": {
        "action": "append",
        "metavar": "NAME",
        "help": "a bundled name or a checkpoint; may be given several times, the first is the default",
    },
    "--token-file": {
        "type": Path,
        "metavar": "FILE",
        "help": "with the sha256 of each token that may; see --new-token",
    },
    "--new-token": {
        "metavar": "WHOSE",
        "help": "make a token for a course or a user, add its sha256 to --token-file, print it once, and end",
    },
    "--host": {
        "default": "127.0.0.1",
        "help": "address to listen on; one that others reach needs a token (default: loopback)",
    },
    "--port": {"type": _port, "default": 8000, "help": "port to listen on (default: 8000)"},
    "--certfile": {"type": Path, "metavar": "FILE", "help": "certificate for https, in PEM"},
    "--keyfile": {"type": Path, "metavar": "FILE", "help": "its key"},
    "--device": {"help": "cpu, cuda … (default: a GPU if there is one)"},
    "--precision": {"default": "auto", "choices": ["auto", "fp32", "bf16", "fp16"], "help": "default: auto"},
    "--share": {
        "type": _share,
        "help": "of the device's time that one token may have, such as 0.5 (default: no limit)",
    },
    "--cache": {"type": int, "default": 1024, "metavar": "MB", "help": "for what is kept of drags (default: 1024)"},
    "--no-batches": {"action": "store_true", "help": "draw every frame alone, and do not measure at the start"},
}


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or an interrupt; returns 0.

    Raises:
        ImportError: the extra `server` is not installed.
        ValueError: another host without tokens, a key without a certificate, a damaged file of tokens.
        OSError: a file is not there, or the port is taken.
    """
    if args.new_token is not None:
        return _new_token(args.token_file, args.new_token)
    check_host(args.host, args.token_file)
    if (args.certfile is None) != (args.keyfile is None):
        raise ValueError("--certfile and --keyfile belong together: one was given")
    for name in ("starlette", "uvicorn", "websockets"):
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"{name} is not installed; run: pip install 'stylewidgets[server]'")
    known = tokens.Tokens(args.token_file)
    from .app import App

    app = App(made(args, known))
    serve(app, args.host, args.port, args.certfile, args.keyfile, lambda port: print(_words(args, port), flush=True))
    return 0


def made(args: argparse.Namespace, known: tokens.Tokens) -> Any:
    """The `Serving` of a command line."""
    from .. import load
    from .serving import Serving

    sessions = {}
    for source in args.model or [None]:
        session = load(source, device=args.device, precision=args.precision)
        sessions[session.name] = session
    return Serving(sessions, known, share=args.share, caches=args.cache << 20, batches=not args.no_batches)


def check_host(host: str, token_file: Path | None) -> None:
    """ValueError for an address that others reach, unless there are tokens."""
    try:
        alone = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        alone = False  # a name, which may be anybody's
    if not alone and token_file is None:
        raise ValueError(
            f"--host {host} can be reached from other machines, so it needs tokens: stylewidgets serve --new-token COURSE "
            "--token-file tokens.txt makes one; then add --token-file tokens.txt here"
        )


def serve(
    app: App, host: str, port: int, certfile: Path | None, keyfile: Path | None, ready: Callable[[int], object]
) -> None:
    """Run the app under uvicorn until a signal.

    Args:
        ready: called with the port once connections are accepted.
    """
    import uvicorn

    from ..remote.messages import DEFINITION

    config = uvicorn.Config(
        app,
        host,
        port,
        ssl_certfile=certfile,
        ssl_keyfile=keyfile,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=DEFINITION,
        ws_per_message_deflate=False,  # pictures are compressed already
        timeout_graceful_shutdown=DRAIN,
        lifespan="on",
    )

    class Server(uvicorn.Server):
        """Tells its clients before it closes."""

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready(self.servers[0].sockets[0].getsockname()[1])

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if self.should_exit or app.serving.going:
                super().handle_exit(sig, frame)
                return
            app.serving.going = True
            loop.call_soon_threadsafe(lambda: going.append(asyncio.ensure_future(self._go(sig, frame))))

        async def _go(self, sig: int, frame: FrameType | None) -> None:
            await app.go_down()
            super().handle_exit(sig, frame)

    going: list[asyncio.Future[None]] = []  # a task that nobody holds may be collected
    loop: asyncio.AbstractEventLoop

    async def main() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        await Server(config).serve()

    asyncio.run(main())


def _new_token(path: Path | None, name: str) -> int:
    if path is None:
        raise ValueError("--new-token needs --token-file: the file that its sha256 is added to")
    token = tokens.new(path, name)
    print(f"The token of {name}, which is told this once; {path} has only its sha256:\n\n  {token}\n")
    print("A running server knows it at once. To take it back, delete its line from the file.")
    return 0


def _words(args: argparse.Namespace, port: int) -> str:
    scheme = "https" if args.certfile else "http"
    host = "this-machine" if args.host in ("0.0.0.0", "::") else f"[{args.host}]" if ":" in args.host else args.host
    token = ', token="…"' if args.token_file else ""
    return (
        f"Serving on {scheme}://{host}:{port}; Ctrl-C here ends it. In a notebook:\n\n"
        f"  import stylewidgets as sw\n"
        f'  session = sw.connect("{scheme}://{host}:{port}"{token})\n'
        f"  sw.LatentExplorer(session)\n"
    )
