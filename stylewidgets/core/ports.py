"""Ports on this machine, for servers that only it can reach."""

from __future__ import annotations

import socket


def usable_port(port: int = 0) -> int:
    """``port`` if it can be listened on, else OSError; without one a port that nobody listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise OSError(
                f"port {port} cannot be used ({error.strerror}); give another one or leave --port out"
            ) from error
        return int(probe.getsockname()[1])
