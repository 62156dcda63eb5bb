"""A real kernel, and the page of a LatentExplorer played by hand-made comm messages."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

PATIENCE = 180.0
"""Seconds after which a wait is given up: far beyond what a slow machine needs, so that only a hang is found."""

Message = dict[str, Any]


class Kernel:
    """A kernel process; `log` is everything it published, in order."""

    def __init__(self) -> None:
        from jupyter_client import KernelManager

        self.manager = KernelManager(kernel_name="python3")
        self.log: list[Message] = []
        self._caused: dict[str, list[Message]] = {}
        self._idle: set[str] = set()
        self.manager.start_kernel(env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"})
        self._connect()

    def _connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def restart(self) -> None:
        """Replace the process by a new one."""
        self.client.stop_channels()
        self.manager.restart_kernel(now=False)
        self.log.clear()
        self._caused.clear()
        self._idle.clear()  # a new client counts its messages from one again: what was done before is not done now
        self._connect()

    def stop(self) -> None:
        """End it, whatever it takes."""
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    # -- messages in -------------------------------------------------------------------------------------------------
    def read(self, wait: float = 0.0) -> bool:
        """Take in what was published; wait that many seconds for the first message. False when nothing came."""
        came = False
        while self.client.iopub_channel.socket.poll(0 if came else int(wait * 1000)):
            self._keep(self.client.get_iopub_msg(timeout=1))
            came = True
        return came

    def _keep(self, message: Message) -> None:
        request = message["parent_header"].get("msg_id", "")
        self.log.append(message)
        self._caused.setdefault(request, []).append(message)
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            self._idle.add(request)

    def until(self, condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
        """Read until `condition()` is true and return its value; fail with `what` when that never happens."""
        end = time.monotonic() + patience
        while not (value := condition()):
            if time.monotonic() > end:
                pytest.fail(f"never happened: {what}; last published: {[m['msg_type'] for m in self.log[-8:]]}")
            self.read(0.2)
        return value

    def caused_by(self, request: str) -> list[Message]:
        """What was published on account of one request."""
        return self._caused.get(request, [])

    def is_idle(self, request: str) -> bool:
        """Whether the kernel reported the end of its work on a request."""
        return request in self._idle

    # -- messages out ------------------------------------------------------------------------------------------------
    def start_cell(self, code: str) -> str:
        """Start a cell and return its request."""
        return str(self.client.execute(code, store_history=False))

    def finish_cell(self, request: str) -> str:
        """Wait for the end of a cell and return what it printed; fail when it raised."""
        self.until(lambda: self.is_idle(request), "the end of a cell")
        messages = self.caused_by(request)
        for message in messages:
            if message["msg_type"] == "error":
                pytest.fail("\n".join(message["content"]["traceback"]))
        streams = [m["content"] for m in messages if m["msg_type"] == "stream"]
        return "".join(part["text"] for part in streams if part["name"] == "stdout")

    def run(self, code: str) -> str:
        """Run a cell and return what it printed."""
        return self.finish_cell(self.start_cell(code))

    def ask(self, expression: str) -> Any:
        """Return the value of an expression that is plain JSON."""
        request = self.start_cell(f"import json; print(json.dumps({expression}))")
        # A busy machine may publish what was printed a moment after the end of the cell.
        return json.loads(self.until(lambda: self.finish_cell(request), f"the value of {expression}"))

    def new_subshell(self) -> str:
        """Return the id of a new subshell, as JupyterLab asks for one; skip where the kernel has none."""
        known = self.client.kernel_info(reply=True, timeout=PATIENCE)["content"].get("supported_features", [])
        if "kernel subshells" not in known:  # an older kernel does not even answer the request
            pytest.skip("this kernel has no subshells")
        request = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(request)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            reply = self.client.get_control_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                if reply["content"].get("status") != "ok":
                    pytest.skip("this kernel has no subshells")
                return str(reply["content"]["subshell_id"])
        return pytest.fail("no answer to create_subshell_request")

    def comm(self, comm_id: str, data: dict[str, Any], subshell: str | None = None, late: float = 0.0) -> str:
        """Send one message to a widget and return the request. `late`: how many seconds ago it says that it was sent."""
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        message["header"]["date"] -= timedelta(seconds=late)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])


EXPLORER = """
import gc, hashlib, threading, numpy as np, psutil, torch
import stylewidgets as sw
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.latent import Direction
from stylewidgets.render import pump as _pump
from stylewidgets.session import GeneratorSession

torch.set_num_threads(1)
torch.manual_seed(0)
_pump.ACK_TIMEOUT = 1e9  # how slow this machine is must not decide how many frames are sent
config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution={resolution}, channels=(8,) * {blocks}, mapping_layers=2)
session = GeneratorSession(StyleGAN2(config), device="cpu", name="tiny")
first = Direction("first", np.linspace(-1, 1, 8))
second = Direction("second", np.linspace(1, -2, 8) ** 2)
threads_before = sorted(thread.name for thread in threading.enumerate())
explorer = sw.LatentExplorer(session, directions=[first, second])

rows = explorer.tools["directions"].rows.view

def digest():
    return hashlib.sha256(session.image(explorer.value).tobytes()).hexdigest()

def resident():
    gc.collect()
    return psutil.Process().memory_info().rss
"""


class Page:
    """The explorer as a page sees it. With `answers`, frames are acknowledged as soon as they are read."""

    def __init__(
        self, kernel: Kernel, subshell: str | None = None, resolution: int = 256, cell: str | None = None
    ) -> None:
        self.kernel, self.subshell = kernel, subshell
        self.answers = True
        blocks = resolution.bit_length() - 2  # 4 px, 8 px, ...
        kernel.run(cell or EXPLORER.format(resolution=resolution, blocks=blocks))
        self.view = kernel.ask("explorer.view.model_id")
        self.rows = kernel.ask("rows.model_id")
        self.keys = kernel.ask("list(explorer.tools['directions'].rows.handles)")
        self.cutoff = kernel.ask("(explorer._panels.source.unfold(), explorer._panels.source._cutoff.model_id)[1]")
        self.number = 0
        """Of the newest request of the rows."""
        self.acknowledged = 0
        self.most_unanswered = 0
        self._read = len(kernel.log)
        self._pixels = b""
        self.frames: list[dict[str, Any]] = []
        """index, final, data and place in the log of every frame, in order."""
        self.errors: list[str] = []
        """Every text that the view was given as `error`."""

    # -- what a page sends -------------------------------------------------------------------------------------------
    def custom(self, **content: Any) -> str:
        """Send a message of the view."""
        return self.kernel.comm(self.view, {"method": "custom", "content": content}, self.subshell)

    def say_hello(self) -> None:
        """Be on the screen."""
        self.finish(self.custom(type="hello", dpr=1, width=384))

    def wish(self, value: Any, slider: int = 0, **more: Any) -> str:
        """Send a request of the rows as it is."""
        content = {
            "type": "set",
            "page": "page",
            "number": self.number,
            "key": self.keys[slider],
            "value": value,
            "acks": {},
        }
        return self.kernel.comm(self.rows, {"method": "custom", "content": {**content, **more}}, self.subshell)

    def move(self, value: float, slider: int = 0, **more: Any) -> str:
        """Send what a row sends at one step of a drag."""
        self.number += 1
        return self.wish(value, slider, **more)

    def cut(self, rows: int, late: float = 0.0) -> str:
        """Send what a core slider sends, that of the cutoff; `late`: as of so many seconds ago."""
        data = {"method": "update", "state": {"value": rows}, "buffer_paths": []}
        return self.kernel.comm(self.cutoff, data, self.subshell, late)

    def acknowledge(self) -> str | None:
        """Acknowledge the newest frame that was read."""
        if not self.frames or self.frames[-1]["index"] == self.acknowledged:
            return None
        self.acknowledged = self.frames[-1]["index"]
        return self.custom(type="ack", index=self.acknowledged, ms=1)

    # -- what a page reads -------------------------------------------------------------------------------------------
    def look(self, wait: float = 0.0) -> None:
        """Read what was published; acknowledge it when this page answers."""
        self.kernel.read(wait)
        for place in range(self._read, len(self.kernel.log)):
            self._take(place, self.kernel.log[place])
        self._read = len(self.kernel.log)
        unanswered = sum(frame["index"] > self.acknowledged for frame in self.frames)
        self.most_unanswered = max(self.most_unanswered, unanswered)
        if self.answers:
            self.acknowledge()

    def _take(self, place: int, message: Message) -> None:
        content = message["content"]
        if message["msg_type"] != "comm_msg" or content["comm_id"] != self.view:
            return
        data, buffers = content["data"], message["buffers"]
        if data["method"] == "custom" and data["content"]["type"] == "frame":
            made = {"index": data["content"]["index"], "final": False, "data": bytes(buffers[0])}
            self.frames.append({**made, "place": place})
        elif data["method"] == "update":
            state, paths = data["state"], data["buffer_paths"]
            for path, buffer in zip(paths, buffers, strict=True):
                if path == ["frame"]:
                    self._pixels = bytes(buffer)
            if "error" in state:
                self.errors.append(state["error"])
            if "info" in state:
                made = {"index": state["info"]["index"], "final": True, "data": self._pixels}
                self.frames.append({**made, "place": place})

    def finish(self, *requests: str) -> None:
        """Look until the kernel has finished all these requests and the page has answered every frame."""
        open_ones = set(requests)
        end = time.monotonic() + PATIENCE

        def all_idle() -> bool:
            return not {request for request in open_ones if not self.kernel.is_idle(request)}

        while True:
            self.look(0.05)
            if open_ones and all_idle():
                open_ones.clear()
                self.look()
            if not open_ones:
                last = self.acknowledge() if self.answers else None
                if last is None:
                    return
                open_ones.add(last)
            if time.monotonic() > end:
                pytest.fail(f"{len(open_ones)} messages were never finished")

    def settle(self) -> None:
        """Ask for the final picture, as a page does when the last frame is old enough."""
        self.finish(self.custom(type="settle"))

    def shown(self) -> str:
        """Return the digest of the pixels of the newest frame, to be compared with `digest()` in the kernel."""
        import numpy as np
        from PIL import Image

        with Image.open(io.BytesIO(self.frames[-1]["data"])) as image:
            return hashlib.sha256(np.asarray(image.convert("RGB")).tobytes()).hexdigest()

    def forget(self) -> None:
        """Start counting anew; the newest frame stays."""
        self.frames = self.frames[-1:]
        self.errors.clear()
        self.most_unanswered = 0


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """One kernel process for the tests of a module."""
    made = Kernel()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(params=["main shell", "subshell"])
def page(request: pytest.FixtureRequest, kernel: Kernel) -> Iterator[Page]:
    """An explorer on the screen, whose messages come with or without the id of a subshell; closed in the end."""
    subshell = kernel.new_subshell() if request.param == "subshell" else None
    made = Page(kernel, subshell)
    made.say_hello()
    made.settle()
    made.forget()
    try:
        yield made
    finally:
        kernel.run("explorer.close(); del explorer, rows")
