"""`info`, `convert` and `zoo` on the command line, and `load` for every kind of source."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import http.server
import json
import threading
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

import stylewidgets as sw
from stylewidgets.__main__ import main
from stylewidgets.checkpoints import zoo
from stylewidgets.checkpoints.formats import native
from stylewidgets.widgets.kit.code import code

from ..formats_writers import golden


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rosinality training file whose name says nothing."""
    state = golden("rosinality_stylegan2_64")[1]
    path = tmp_path_factory.mktemp("files") / "checkpoint"
    torch.save(
        {
            "g_ema": OrderedDict((k.removeprefix("g_ema."), v) for k, v in state.items() if k.startswith("g_ema.")),
            "latent_avg": state["latent_avg"],
            "args": argparse.Namespace(size=64),
        },
        path,
    )
    return path


def test_info_names_family_sizes_layers_and_licence(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(foreign)]) == 0
    lines = {line[:14].strip(): line[16:] for line in capsys.readouterr().out.splitlines()}
    assert lines["format"].startswith("rosinality stylegan2-pytorch") and lines["family"] == "stylegan2 (StyleGAN2)"
    assert (lines["resolution"], lines["classes"], lines["num_ws"], lines["mapping_layers"]) == ("64", "0", "10", "8")
    assert "b64.torgb 8" in lines["layers"] and lines["source text"] == "none in the file" and "MIT" in lines["licence"]
    assert int(lines["parameters"].replace(",", "")) > 10_000


def test_convert_gives_identical_pictures_and_says_where_they_are_from(
    foreign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.safetensors"
    assert main(["convert", str(foreign), str(out)]) == 0
    assert "Licence" in capsys.readouterr().err
    before, after = sw.load(foreign, device="cpu"), sw.load(out, device="cpu")
    latent = sw.Latent(seed=3, psi=0.7)
    assert (before.image(latent) == after.image(latent)).all()
    assert (
        after.metadata["origin"]["format"] == "rosinality stylegan2-pytorch"
        and len(after.metadata["origin"]["sha256"]) == 64
    )
    assert main(["info", str(out)]) == 0 and "origin" in capsys.readouterr().out


def test_convert_replaces_nothing_unless_it_is_forced(
    foreign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"mine")
    assert main(["convert", str(foreign), str(out)]) == 2
    assert "--force" in capsys.readouterr().err and out.read_bytes() == b"mine"
    assert main(["convert", str(foreign), str(out), "--force", "--dtype", "fp16"]) == 0
    assert native.inspect(out)["dtype"] == "fp16"
    assert main(["convert", str(out), str(out), "--force"]) == 2
    assert main(["convert", str(foreign), str(tmp_path / "out.pt")]) == 2
    assert main(["convert", str(foreign), str(tmp_path / "none" / "out.safetensors")]) == 2


def test_a_session_knows_format_family_licence_and_its_source(foreign: Path) -> None:
    session = sw.load(str(foreign), device="cpu")
    assert session.metadata["format"] == "rosinality stylegan2-pytorch" and session.metadata["family"] == "stylegan2"
    assert session.metadata["licence"] and session.source == str(foreign)
    assert f"sw.load({str(foreign)!r})" in code(session, session.latent(seed=1))


def test_the_zoo_is_listed_for_people_and_programs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    assert main(["zoo"]) == 0
    text = capsys.readouterr().out
    assert "ffhq-1024" in text and "CC BY-NC 4.0" in text and "letter-boxed" in text and str(tmp_path) in text
    assert main(["zoo", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (
        len(listed) == len(zoo.entries())
        and {"name", "url", "licence", "sha256", "citation", "path"} <= listed[0].keys()
    )
    assert main(["zoo", "get"]) == 2
    assert main(["zoo", "get", "ffhq1024"]) == 2
    assert "did you mean 'ffhq-1024'" in capsys.readouterr().err


@pytest.fixture
def small_zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The zoo with entries of 64 pixels, as `foreign` has."""
    small = tuple(dataclasses.replace(one, resolution=64) for one in zoo.catalogue())
    monkeypatch.setattr(zoo, "catalogue", lambda: small)
    monkeypatch.setattr(zoo, "entries", lambda: small)


@pytest.mark.usefixtures("small_zoo")
def test_a_name_of_the_zoo_loads_the_file_in_the_cache(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    one = zoo.entry("car-512")
    zoo.path(one).write_bytes(foreign.read_bytes())
    assert main(["zoo", "get", "car-512"]) == 0
    assert capsys.readouterr().out.strip() == str(zoo.path(one))
    session = sw.load("car-512", device="cpu")
    assert session.name == one.name and session.metadata["licence"] == one.terms
    assert session.metadata["crop"] == [0, 64, 512, 448] and session.source == "car-512"


def test_another_generator_under_a_name_of_the_zoo_is_refused(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    zoo.path(zoo.entry("car-512")).write_bytes(foreign.read_bytes())
    with pytest.raises(ValueError, match="its resolution is 64, and should be 512"):
        sw.load("car-512", device="cpu")


@pytest.mark.usefixtures("small_zoo")
def test_a_name_of_the_zoo_and_an_address_are_downloaded_from_a_classroom_server(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "stylegan2-ffhq-1024x1024.pkl").write_bytes(foreign.read_bytes())
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path / "cache"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("STYLEWIDGETS_ZOO", address)
        named = sw.load("ffhq-1024", device="cpu")
        addressed = sw.load(f"{address}/stylegan2-ffhq-1024x1024.pkl", device="cpu")
        server.shutdown()
    latent = sw.Latent(seed=1)
    assert (named.image(latent) == addressed.image(latent)).all()
    assert named.metadata["citation"].startswith("Karras") and addressed.source.startswith(address)
    assert (tmp_path / "cache" / "stylegan2-ffhq-1024x1024.pkl").is_file()
