"""`stylewidgets serve` as a process of its own, which tests stop, kill and start again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys


class Process:
    """`stylewidgets serve` on a port of loopback, always the same."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "stylewidgets", "serve", "--model", "avatar-64", "--no-batches"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert self.process.stdout is not None
        assert "Serving on" in self.process.stdout.readline()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        for number in (signal.SIGCONT, signal.SIGKILL):
            if self.process.poll() is None:
                self.send(number)
        self.process.wait()
