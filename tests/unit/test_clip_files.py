"""Public CLIP files are read as they are published: archives, Hugging Face's layout, caches, downloads, and damaged ones."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from stylewidgets import text
from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.text.clip import layouts, network, published, reading, vocabulary
from stylewidgets.text.clip.network import Clip, ClipConfig, pooled, prepare
from stylewidgets.text.clip.tokens import Tokenizer

CONFIG = ClipConfig(16, 32, 16, 64, 1, 64, 1, 12, 520)
MERGES = [("h", "a"), ("ha", "t</w>"), ("n", "o</w>"), ("f", "a"), ("fa", "c"), ("fac", "e</w>")]


@pytest.fixture(scope="module")
def net() -> Clip:
    torch.manual_seed(3)
    made = Clip(CONFIG)
    for p in made.parameters():
        nn.init.normal_(p, std=0.1)
    return made.eval().requires_grad_(False)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "bpe_simple_vocab_16e6.txt.gz"
    path.write_bytes(gzip.compress(("#version: 0.2\n" + "\n".join(f"{a} {b}" for a, b in MERGES)).encode()))
    return path


def same(found: Clip, wanted: Clip) -> bool:
    a, b = found.state_dict(), wanted.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k].half().float() if b[k].ndim > 1 else b[k]) for k in a)


class Published(nn.Module):
    """A module whose parameters lie in modules of the published names; it is scripted, as OpenAI's files are."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def archive(state: dict[str, Tensor], path: Path) -> Path:
    """A TorchScript archive with these tensors, matrices in half precision, and the scalars that published ones have."""
    root = Published()
    for name, value in state.items():
        *parts, last = name.split(".")
        at: nn.Module = root
        for part in parts:
            if part not in dict(at.named_children()):
                at.add_module(part, Published())
            at = dict(at.named_children())[part]
        at.register_parameter(last, nn.Parameter(value.half() if value.ndim > 1 else value, requires_grad=False))
    for name, number in (("input_resolution", 32), ("context_length", 12), ("vocab_size", 520)):
        root.register_buffer(name, torch.tensor(number))
    torch.jit.script(root).save(str(path))
    return path


def huggingface(net: Clip) -> dict[str, Tensor]:
    """The weights under the names of transformers' CLIPModel, with q, k and v apart."""
    found: dict[str, Tensor] = {"text_model.embeddings.position_ids": torch.arange(12)[None]}
    for name, value in net.state_dict().items():
        value = (value.half() if value.ndim > 1 else value).clone()
        if name in ("visual.proj", "text_projection"):
            found["visual_projection.weight" if name == "visual.proj" else "text_projection.weight"] = (
                value.T.contiguous()
            )
            continue
        for theirs, ours in reversed(layouts._RENAMED):
            if name.startswith("transformer.") and theirs.startswith("vision"):
                continue
            name = name.replace(ours, theirs)
        if ".attn.in_proj_" in name:
            for letter, part in zip("qkv", value.chunk(3), strict=True):
                found[name.replace("attn.in_proj_", f"self_attn.{letter}_proj.")] = part.contiguous()
        else:
            found[name] = value
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_archive_of_openai_is_read_without_running_it(net: Clip, tmp_path: Path, words: Path) -> None:
    encoder = text.load(archive(net.state_dict(), tmp_path / "ViT-T-16.pt"), "cpu", vocabulary=words)
    assert isinstance(encoder.pair, Clip) and same(encoder.pair, net)
    assert (encoder.name, encoder.dim, encoder.side) == ("ViT-T-16", 16, 32)
    assert encoder.texts(["no hat", "a face"]).shape == (2, 16)
    assert encoder.understood("a face with a frobnitz") == ("a", "face", "with", "a", "frobnitz")


def test_a_file_of_hugging_face_is_the_same_network(net: Clip, tmp_path: Path) -> None:
    save_file(huggingface(net), tmp_path / "model.safetensors")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(f"{a} {b}" for a, b in MERGES), encoding="utf-8")
    encoder = text.load(tmp_path / "model.safetensors", "cpu")
    assert isinstance(encoder.pair, Clip) and same(encoder.pair, net) and encoder.pair.config.quick
    x = torch.rand(2, 3, 40, 56) * 2 - 1
    wanted = Clip(CONFIG)
    wanted.load_state_dict({k: v.half().float() if v.ndim > 1 else v for k, v in net.state_dict().items()})
    assert torch.allclose(encoder.pictures(x), torch.nn.functional.normalize(wanted.pictures(x), dim=1), atol=1e-6)


def test_the_activation_is_the_one_of_the_config_beside_the_file(net: Clip, tmp_path: Path) -> None:
    save_file(huggingface(net), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(
        json.dumps({k: {"hidden_act": "gelu"} for k in ("text_config", "vision_config")})
    )
    assert not reading.read_net(tmp_path / "model.safetensors").config.quick
    (tmp_path / "config.json").write_text(json.dumps({"text_config": {"hidden_act": "relu6"}, "vision_config": {}}))
    with pytest.raises(CheckpointError, match="relu6"):
        reading.read_net(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("text_model.final_layer_norm.bias"), "ln_final.bias is missing"),
        (lambda s: s.pop("text_model.encoder.layers.0.self_attn.k_proj.weight"), "has no k and v"),
        (lambda s: s.update({"visual_projection.weight": torch.full((16, 64), torch.inf)}), "not finite"),
        (lambda s: s.update({"text_model.final_layer_norm.bias": torch.zeros(9)}), r"is \[9\], and \[64\] is needed"),
        (lambda s: s.update({"extra.weight": torch.zeros(3)}), "extra.weight belongs to no CLIP"),
        (lambda s: s.update({"vision_model.embeddings.patch_embedding.weight": torch.zeros(3)}), "another shape"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(net: Clip, tmp_path: Path, change, said: str) -> None:
    state = huggingface(net)
    change(state)
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=said):
        reading.read_net(tmp_path / "model.safetensors")


def test_other_files_are_refused(net: Clip, tmp_path: Path) -> None:
    save_file({"visual.conv1.weight": torch.zeros(3)}, tmp_path / "open_clip.safetensors")
    with pytest.raises(CheckpointError, match="OpenCLIP's own layout"):
        reading.read_net(tmp_path / "open_clip.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(CheckpointError, match="damaged"):
        reading.read_net(tmp_path / "cut.safetensors")
    (tmp_path / "noise.pt").write_bytes(b"PK\x03\x04" + bytes(range(200)))
    with pytest.raises(CheckpointError):
        reading.read_net(tmp_path / "noise.pt")
    torch.save({"visual.layer1.0.conv1.weight": torch.zeros(3)}, tmp_path / "RN50.pt")
    with pytest.raises(CheckpointError, match="ResNet"):
        reading.read_net(tmp_path / "RN50.pt")
    with pytest.raises(FileNotFoundError):
        text.load(tmp_path / "nowhere.pt")
    with pytest.raises(ValueError, match="did you mean 'ViT-B/32'"):
        text.load("ViT-B-32")


def test_a_hostile_pickle_runs_nothing(tmp_path: Path) -> None:
    torch.save({"visual.conv1.weight": torch.zeros(3), "x": _Touch(str(tmp_path / "ran"))}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError):
        reading.read_net(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


class _Touch:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


def test_without_a_list_of_merges_it_says_where_to_get_one(
    net: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "PACKAGES", {"no_such_package": "no-such-package"})
    save_file(huggingface(net), tmp_path / "model.safetensors")
    encoder = text.load(tmp_path / "model.safetensors", "cpu")
    with pytest.raises(FileNotFoundError, match="open_clip_torch and clip-anytorch"):
        encoder.texts(["a face"])
    assert encoder.pictures(torch.zeros(1, 3, 8, 8)).shape == (1, 16)  # pictures need no words


def test_a_list_of_another_network_is_refused(net: Clip, tmp_path: Path, words: Path) -> None:
    save_file(huggingface(net), tmp_path / "model.safetensors")
    words.write_bytes(gzip.compress(b"#version\na b\n"))
    with pytest.raises(CheckpointError, match="it knows 520 tokens, and .* makes 515"):
        text.load(tmp_path / "model.safetensors", vocabulary=words)
    words.write_bytes(gzip.compress(b"#version\na b c\n"))
    with pytest.raises(ValueError, match="two parts; 'a b c' does not"):
        vocabulary.read(words)


def test_a_list_is_found_in_a_package_that_is_not_imported(
    tmp_path: Path, words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "open_clip"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    words.rename(package / vocabulary.FILE)
    monkeypatch.syspath_prepend(str(package.parent))
    assert vocabulary.find() == package / vocabulary.FILE


def test_a_sentence_that_is_too_long_is_said_to_be() -> None:
    with pytest.raises(ValueError, match="has 6 tokens and the network reads 5"):
        Tokenizer(MERGES).padded("no hat: face", 5)
    assert Tokenizer(MERGES).padded("no hat", 6) == [518, 514, 513, 519, 0, 0]


def test_pictures_are_prepared_as_clip_was_trained() -> None:
    x = torch.zeros(1, 3, 64, 96)
    x[..., :16], x[..., 80:] = 1, 1  # outside of the middle
    found = prepare(x, 32)
    assert found.shape == (1, 3, 32, 32)
    mean, std = torch.tensor(network.MEAN), torch.tensor(network.STD)
    assert torch.allclose(found[0, :, 16, 16], (0.5 - mean) / std, atol=1e-5)


@pytest.mark.parametrize("size", [32, 64, 96, 256])
def test_pictures_of_losses_are_pooled_as_published(size: int) -> None:
    x = torch.rand(1, 2, size, size)
    large = torch.nn.Upsample(scale_factor=7)(x)
    assert torch.allclose(pooled(x), torch.nn.functional.avg_pool2d(large, size // 32), atol=1e-6)
    with pytest.raises(ValueError, match="multiple of 32"):
        pooled(torch.zeros(1, 3, 40, 40))


# -- where it is, and its download ----------------------------------------------------------------------------------------
@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TORCH_HOME", "HF_HOME", "HF_HUB_CACHE", "STYLEWIDGETS_ZOO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path / "own"))
    return tmp_path


@pytest.mark.parametrize(
    "place",
    [
        "own/clip/ViT-B-32.pt",
        ".cache/clip/ViT-B-32.pt",
        ".cache/torch/hub/checkpoints/ViT-B-32.pt",
        ".cache/huggingface/hub/models--openai--clip-vit-base-patch32/snapshots/abc/model.safetensors",
    ],
)
def test_a_network_is_found_in_the_caches(home: Path, place: str) -> None:
    one = published.get("ViT-B/32")
    assert published.here(one) is None
    (home / place).parent.mkdir(parents=True)
    (home / place).write_bytes(b"x")
    assert published.here(one) == home / place


class Handler(BaseHTTPRequestHandler):
    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_download_is_checked_and_then_read(
    home: Path, server: ThreadingHTTPServer, net: Clip, words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Handler.content = archive(net.state_dict(), home / "made.pt").read_bytes()
    monkeypatch.setenv("STYLEWIDGETS_ZOO", f"http://127.0.0.1:{server.server_address[1]}")
    run = text.start_download("ViT-B/32")
    assert run.status == "ready" and not published.get("ViT-B/32").target.exists()
    with pytest.raises(OSError, match="the content is another one"):  # the real file has another sha256
        for _ in run:
            pass
    right = replace(published.get("ViT-B/32"), sha256=hashlib.sha256(Handler.content).hexdigest())
    monkeypatch.setattr(published, "PUBLISHED", (right,))
    encoder = text.load("ViT-B/32", "cpu", vocabulary=words)
    assert isinstance(encoder.pair, Clip) and same(encoder.pair, net) and "MIT" in encoder.licence
    assert right.target.is_file() and published.here(right) == right.target
