"""Sends thousands of damaged messages and bodies to a server in this process, and prints what happened as JSON.

Any audit event meanwhile (import, open, compile, exec, a process, a socket …), on any thread, counts as an execution: nothing
that a client sends makes a server do such things. Run as ``python hostile_messages.py COUNT``; −1 shows that the watch sees.
"""

from __future__ import annotations

import asyncio
import copy
import io
import json
import random
import resource
import sys
from collections import Counter
from typing import Any

import numpy as np
from PIL import Image

from stylewidgets import Latent, Transform, load
from stylewidgets.latent import Direction
from stylewidgets.latent.files import encode
from stylewidgets.remote.arrays import pack
from stylewidgets.remote.messages import SUBPROTOCOL, TENSORS, Outgoing, text
from stylewidgets.server.app import App
from stylewidgets.server.serving import Serving

ME = "m" * 20
ANYHOW = ("builtins.id", "_thread.start_new_thread", "sys._getframe", "object.__getattr__", "array.__new__")
"""Events of what the server itself does: threads that read bodies, plain arrays."""
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 10**9, 10**400, 1e308, -0.0, "", "x" * 3000, "../../etc/passwd", "__class__", "os:system", [], {}, [[[]]],
    "stylewidgets.jobs:start", {"ref": "0" * 64}, {"shape": [10**9, 10**9], "float32": ""}, {"float32": "AAAA", "shape": [-1]},
    "\ud800", "0" * 64, "nan", [10**9] * 50,
)  # fmt: skip

events: list[str] = []
armed = False


def watch(event: str, args: tuple[Any, ...]) -> None:
    if armed and event not in ANYHOW:
        events.append(f"{event} {args[0]}"[:200] if event in ("import", "open") else event)


class Site:
    """The app, spoken to as an ASGI server speaks to it."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.codes: Counter[int] = Counter()
        self.answered = 0
        self.wrong: list[str] = []

    def scope(self, kind: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        pairs = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        return {"type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": kind, "path": path,
                "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": pairs, "client": ("127.0.0.1", 1),
                "server": ("127.0.0.1", 80), "subprotocols": [SUBPROTOCOL], "state": {}}  # fmt: skip

    async def post(self, call: str, data: bytes, kind: str) -> None:
        """One call; its answer is counted."""
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = self.scope("http", f"/v1/models/m/{call}", {"content-type": kind, "x-client": ME})
        await self.app(scope, receive, send)
        self.count(sent[0]["status"], f"{call} {data[:200]!r}")

    def count(self, code: int, what: str) -> None:
        self.codes[code] += 1
        self.answered += code == 200
        if code >= 500 and code not in (503, 507):
            self.wrong.append(f"{what}: {code}")


class Talk:
    """One live socket."""

    def __init__(self, site: Site) -> None:
        self.site, self.to, self.got = site, asyncio.Queue[dict[str, Any]](), asyncio.Queue[dict[str, Any]]()
        self.to.put_nowait({"type": "websocket.connect"})
        scope = site.scope("websocket", "/v1/models/m/live", {"sec-websocket-protocol": SUBPROTOCOL, "host": "x"})
        self.task = asyncio.ensure_future(site.app(scope, self.to.get, self.got.put))

    def say(self, line: str) -> None:
        self.to.put_nowait({"type": "websocket.receive", "text": line})

    async def until(self, mark: str) -> bool:
        """Take what comes until the answer to a mark does; False where the socket has ended."""
        self.say(text({"stop": mark}))
        while True:
            message = await asyncio.wait_for(self.got.get(), 60)
            if message["type"] == "websocket.close":
                return False
            line = message.get("text")
            if line is None:
                self.site.answered += message["type"] == "websocket.send"
                continue
            error = json.loads(line).get("error")
            if error and mark in error["message"]:
                return True
            if error:
                self.site.count(error["code"], line[:300])

    async def end(self) -> None:
        self.to.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(self.task, 60)


# -- what is damaged -----------------------------------------------------------------------------------------------------------
def lines() -> list[str]:
    """One sound text of every kind."""
    wide = Direction("wide", np.ones((10, 128), np.float32))
    made: list[str] = [text({"hello": {"version": 1, "token": "", "client": ME, "model": "m"}})]
    out = Outgoing(made.append)
    rung = [64, "jpeg", 60, "drag"]
    latents = [
        Latent(seed=7, psi=0.7).with_edit(wide, 1.0),
        Latent(blend=((1, 0.25), (2, 0.75)), noise_mode="random", noise_seed=3),
        Latent(seed=1, transform=Transform(angle=5)),
        Latent(seed=1).with_edit(Direction("small", np.ones(128, np.float32)), 1.0, (0, 4)),
    ]
    made += [text({"n": n, "latent": out.latent(latent), "rung": rung, "on": ""}) for n, latent in enumerate(latents)]
    drag = {
        "kind": "drag",
        "latent": Latent(seed=1).to_dict(),
        "handles": [[9, 9]],
        "targets": [[20, 20]],
        "settings": {"steps": 2},
    }
    lost = {"kind": "inversion", "method": "psp", "settings": {}, "target": "0" * 64}
    made += [
        text({"start": drag, "job": "a"}),
        text({"start": lost, "job": "b"}),
        text({"pause": "a"}),
        text({"resume": "a"}),
    ]
    return made


def bodies() -> list[tuple[str, bytes, str]]:
    """One sound body of every kind."""
    latents = {"latents": [Latent(seed=seed).to_dict() for seed in (1, 2)]}
    w = np.zeros((2, 128), np.float32)
    picture = Image.fromarray(np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3))
    made = [
        ("render", text({"latent": Latent(seed=7).to_dict(), "format": "png", "on": ""}).encode(), "application/json"),
        ("images", text(latents | {"resolution": 32}).encode(), "application/json"),
        ("map", text(latents).encode(), "application/json"),
        ("styles", text({"w": encode(w)}).encode(), "application/json"),
        ("styles", pack({"w": w}), TENSORS),
        ("synthesize", pack({"w": w}, {"noise_mode": "random", "noise_seed": 1, "exact": True}), TENSORS),
        ("targets", pack({"image": np.zeros((64, 64), np.bool_)}), TENSORS),
        ("targets", pack({"images": np.zeros((1, 3, 64, 64), np.float32)}, {"names": ["a"]}), TENSORS),
    ]
    for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        buffer = io.BytesIO()
        picture.save(buffer, form)
        made.append(("targets", buffer.getvalue(), "image/png"))
    return made


def damaged(source: random.Random, data: bytes, every: list[bytes]) -> bytes:
    """One to three changes of bytes."""
    made = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 3))):
        at = source.randrange(len(made) + 1)
        match source.randrange(5):
            case 0 if at < len(made):
                made[at] ^= 1 << source.randrange(8)
            case 1:
                made = made[:at] or made
            case 2:
                del made[at : at + source.randint(1, 12)]
            case 3:
                made[at:at] = source.randbytes(source.randint(1, 8))
            case _:
                other = source.choice(every)
                start = source.randrange(len(other))
                made[at:at] = other[start : start + source.randint(1, 80)]
    return bytes(made)


def twisted(source: random.Random, value: Any) -> Any:
    """JSON with another value, a missing or a foreign key somewhere."""
    made = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            places.append((node, key))
            walk(node[key])

    walk(made)
    for _ in range(source.choice((1, 1, 2))):
        node, key = source.choice(places)
        try:
            match source.randrange(4):
                case 0:
                    del node[key]
                case 1 if isinstance(node, dict):
                    node[str(source.choice(VALUES))[:50]] = source.choice(VALUES)
                case _:
                    node[key] = source.choice(VALUES)
        except (KeyError, IndexError):  # taken away by the change before
            continue
    return made


def mutated(source: random.Random, data: bytes, every: list[bytes]) -> bytes:
    if data[:1] == b"{" and source.random() < 0.6:
        return json.dumps(twisted(source, json.loads(data))).encode()
    return damaged(source, data, every)


# -- sending it ------------------------------------------------------------------------------------------------------------------
async def run(count: int) -> str:
    global armed
    serving = Serving({"m": load("avatar-64", device="cpu")}, batches=False)
    site, source = Site(App(serving)), random.Random(0)
    serving.start()
    sound, posts = [line.encode() for line in lines()], bodies()
    every = sound + [data for _, data, _ in posts]
    # What is sound, and one of each that is not, before anything is watched: imports what answers need.
    talk = Talk(site)
    for line in (*sound, b"nonsense", text({"start": {"kind": "drag"}, "job": "c"}).encode()):
        talk.say(line.decode())
        assert await talk.until("warm")
    for call, data, kind in (*posts, ("targets", b"nonsense", "image/png"), ("render", b"[]", "application/json")):
        await site.post(call, data, kind)
    for kind in ("drag", "video", "mesh", "statistics", "local-search", "inversion"):
        talk.say(text({"start": {"kind": kind}, "job": f"warm {kind}"}))
        assert await talk.until("warm")
    for _ in range(40):  # jobs under way come to their end
        await site.post("map", posts[2][1], posts[2][2])
    warm, site.codes, site.answered = Counter(site.codes), Counter(), 0
    if warm[200] < len(posts) or site.wrong:
        raise AssertionError(f"what is sound was not answered: {warm} {site.wrong}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    texts = ends = 0
    armed = True
    for k in range(count):
        if k % 3 == 2:
            call, data, kind = source.choice(posts)
            await site.post(call, mutated(source, data, every), kind)
            continue
        texts += 1
        first = source.random() < 0.05
        if first:  # a hello of its own
            await talk.end()
            talk = Talk(site)
        line = mutated(source, sound[0] if first else source.choice(sound), every).decode("utf-8", "replace")
        talk.say(line)
        if not await talk.until(f"mark {k}"):
            ends += 1
            await talk.task
            talk = Talk(site)
            talk.say(sound[0].decode())
    armed = False
    if count < 0:
        armed = True
        import xmlrpc.client  # noqa: F401

        open("/dev/null").close()
        armed = False
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    await talk.end()
    health = serving.healthy
    serving.stop()
    if not health:
        site.wrong.append("the server is not healthy any more")
    refused = sum(n for code, n in site.codes.items() if code >= 400)
    return json.dumps(
        {"texts": texts, "bodies": count - texts, "refused": refused, "answered": site.answered, "ends": ends, "grown": grown,
         "codes": dict(site.codes), "wrong": site.wrong[:20], "events": events[:20]}
    )  # fmt: skip


if __name__ == "__main__":
    sys.addaudithook(watch)
    print(asyncio.run(run(int(sys.argv[1]))))
