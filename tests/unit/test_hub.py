"""Files of the Hub by hf://user/repo, against a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from safetensors.torch import save

import stylewidgets as sw
from stylewidgets import weights
from stylewidgets.checkpoints.zoo import hub
from stylewidgets.checkpoints.zoo.download import DownloadError
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config

torch.manual_seed(0)
CONTENT = save(
    StyleGAN2(StyleGAN2Config(resolution=8, channels=(4, 4), z_dim=8, w_dim=8, mapping_layers=1)).state_dict()
)
TOKEN = "hf_secret"


class Hub(BaseHTTPRequestHandler):
    """What the real one answers, for three repositories."""

    files: ClassVar[dict[str, list[str]]] = {
        "me/one": ["README.md", "network.safetensors", "optimizer.pt"],
        "me/many": ["a.pkl", "deep/b.pt", "notes.txt"],
        "me/private": ["network.safetensors"],
    }
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        Hub.asked.append((self.path, self.headers.get("Authorization")))
        parts = self.path.strip("/").split("/")
        listing = parts[:2] == ["api", "models"]
        repo = "/".join(parts[2:4] if listing else parts[:2])
        if repo not in self.files:
            return self._answer(404, b"")
        if repo == "me/private" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._answer(401, b"")
        if listing:
            return self._answer(200, json.dumps({"siblings": [{"rfilename": f} for f in self.files[repo]]}).encode())
        return self._answer(200, CONTENT)

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{made.server_address[1]}/")
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    Hub.asked.clear()
    yield
    made.shutdown()
    made.server_close()


def test_a_file_is_fetched_once_and_opens() -> None:
    for _ in range(2):
        assert sw.load("hf://me/one/network.safetensors").generator.resolution == 8
    assert [path for path, _ in Hub.asked] == ["/me/one/resolve/main/network.safetensors"]


def test_a_repository_with_one_checkpoint_stands_for_it() -> None:
    assert sw.load("hf://me/one").generator.resolution == 8


def test_a_repository_with_several_names_them_as_they_are_given() -> None:
    with pytest.raises(ValueError, match=r"give one of them: hf://me/many@v2/a.pkl, hf://me/many@v2/deep/b.pt"):
        weights.find("hf://me/many@v2")


def test_a_revision_is_asked_for_and_kept_apart(tmp_path: Path) -> None:
    first = hub.find("hf://me/one@refs/pr/1/network.safetensors", progress=False)
    assert first != hub.find("hf://me/one@v1/network.safetensors", progress=False)
    assert [path for path, _ in Hub.asked] == [
        "/me/one/resolve/refs%2Fpr%2F1/network.safetensors",
        "/me/one/resolve/v1/network.safetensors",
    ]


def test_the_token_is_sent_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DownloadError, match="HF_TOKEN"):
        hub.find("hf://me/private", progress=False)
    with pytest.raises(DownloadError, match="HF_TOKEN"):
        hub.find("hf://me/private/network.safetensors", progress=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert hub.find("hf://me/private", progress=False).read_bytes() == CONTENT


def test_offline_only_what_is_kept_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    hub.find("hf://me/one", progress=False)
    Hub.asked.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hub.find("hf://me/one").read_bytes() == hub.find("hf://me/one/network.safetensors").read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE forbids"):
        hub.find("hf://me/many/a.pkl")
    assert not Hub.asked


@pytest.mark.parametrize("text", ["hf://me", "hf://me/one/../two/x.pkl", "hf:///x", "hf://me/one@"])
def test_another_text_is_told_how_an_address_looks(text: str) -> None:
    with pytest.raises(ValueError, match="hf://user/repo/file"):
        hub.find(text)


def test_a_wrong_name_is_told() -> None:
    with pytest.raises(DownloadError, match="Is the name right"):
        hub.find("hf://me/typo", progress=False)
