"""``stylewidgets serve``: sessions on this machine for notebooks on others."""

from __future__ import annotations

import argparse
import importlib.util
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.options import Options
from . import tokens

if TYPE_CHECKING:
    from .serving import Serving

DESCRIPTION = (
    "Serve sessions on this machine to notebooks on others: stylewidgets.connect(address, token=…) there. On loopback "
    "without a token; for other machines one is needed, and TLS by a certificate or a proxy in front."
)


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
    from .listen import Server

    app = App(made(args, known))
    tls = (args.certfile, args.keyfile) if args.certfile else None
    Server(app, args.host, args.port, tls, lambda port: print(_words(args, port), flush=True)).run()
    return 0


def made(args: argparse.Namespace, known: tokens.Tokens) -> Serving:
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
