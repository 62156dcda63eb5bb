"""The catalogue of published checkpoints and the files on this machine."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import platformdirs
import pytest

from stylewidgets.checkpoints import zoo
from stylewidgets.checkpoints.zoo.download import DownloadError
from stylewidgets.core import files


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path))
    monkeypatch.setenv("STYLEWIDGETS_ZOO", "http://127.0.0.1:9")
    monkeypatch.setattr(zoo, "_said", set())
    return tmp_path


def test_every_entry_says_where_it_is_or_how_to_get_it() -> None:
    assert len(zoo.entries()) > 100
    for one in zoo.entries():
        assert one.url is None or (one.url.startswith("https://") and one.url.endswith(".pkl")), one
        assert one.page.startswith("https://") and one.citation and one.terms
        assert one.family in zoo.FAMILIES
        assert 16 <= one.resolution <= 1024 and one.file == f"{one.name}.pkl"
        assert one.sha256 is None or len(one.sha256) == 64


def test_names_and_aliases_are_unique() -> None:
    assert len(zoo.names()) == len(set(zoo.names()))
    assert zoo.entry("ffhq-1024").name == "stylegan2-ffhq-1024x1024"


def test_cars_are_letter_boxed() -> None:
    cars = [one for one in zoo.entries() if "car-" in one.name or "cars-512" in one.name]
    assert len(cars) == 1 + 6 + 9 and all(one.crop == (0, 64, 512, 448) for one in cars)


def test_a_wrong_name_gets_the_nearest_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'ffhq-1024'"):
        zoo.entry("ffhq1024")


def test_a_file_put_into_the_cache_by_hand_is_taken_and_the_licence_said_once(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = cache / "karras2019stylegan-ffhq-1024x1024.pkl"
    file.write_bytes(b"by hand")
    with caplog.at_level(logging.WARNING, "stylewidgets"):
        assert zoo.get("karras2019stylegan-ffhq-1024x1024") == file == zoo.get("karras2019stylegan-ffhq-1024x1024")
    assert caplog.text.count("CC BY-NC 4.0") == 1


def test_what_only_a_browser_can_fetch_says_where_from_and_where_to(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STYLEWIDGETS_ZOO")
    with pytest.raises(DownloadError) as caught:
        zoo.get("stylegan-human-v2-1024")
    assert "drive.google.com" in str(caught.value) and str(cache / "stylegan-human-v2-1024.pkl") in str(caught.value)


def test_offline_the_place_for_the_file_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(DownloadError) as caught:
        zoo.get("ffhq-1024", progress=False)
    assert str(cache / "stylegan2-ffhq-1024x1024.pkl") in str(caught.value)


def test_a_kept_file_of_another_size_than_recorded_is_refused(cache: Path) -> None:
    file = cache / "stylegan2-ffhq-1024x1024.pkl"
    file.write_bytes(b"cut")
    Path(f"{file}.json").write_text(json.dumps({"bytes": 300, "sha256": "0" * 64}))
    with pytest.raises(DownloadError, match="has 3 bytes"):
        zoo.get("ffhq-1024")


def test_a_classroom_server_replaces_the_publishers(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(zoo, "with_bar", lambda url, target, progress, **_: asked.append(url) or target)
    monkeypatch.setenv("STYLEWIDGETS_ZOO", "http://teacher:8000/")
    zoo.get("karras2019stylegan-cats-256x256", progress=False)
    assert asked == ["http://teacher:8000/karras2019stylegan-cats-256x256.pkl"]


def test_the_cache_is_where_the_variable_says_else_where_the_platform_keeps_caches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", "~/mine")
    assert files.cache_folder() == Path.home() / "mine"
    monkeypatch.delenv("STYLEWIDGETS_CACHE")
    assert files.cache_folder() == Path(platformdirs.user_cache_dir("stylewidgets", appauthor=False))
