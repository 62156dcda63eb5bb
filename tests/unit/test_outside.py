"""What the how-tos show, written outside the package and imported as a notebook imports it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import domain, inversion, jobs, stylespace
from stylewidgets.generators.families import FAMILIES
from stylewidgets.latent import edits
from stylewidgets.widgets.latent_explorer.tools import tool as tools

from .test_house import IMPORTS, room

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = ROOT / "tests" / "outside"
EXAMPLES = ("family", "edit", "method", "tool", "domain")


@pytest.fixture(scope="module")
def outside() -> Iterator[Any]:
    """The examples by name. What they register is gone afterwards."""
    registries: Any = (FAMILIES, edits._KINDS, inversion.METHODS, tools._TOOLS, domain._REGISTERED)
    before = [dict(registry) for registry in registries]
    sys.path.insert(0, str(OUTSIDE))
    try:
        yield SimpleNamespace(**{name: import_module(name) for name in EXAMPLES})
    finally:
        sys.path.remove(str(OUTSIDE))
        for name in EXAMPLES:
            sys.modules.pop(name, None)
        for registry, kept in zip(registries, before, strict=True):
            registry.clear()
            registry.update(kept)


@pytest.fixture
def session(outside: Any) -> sw.GeneratorSession:
    return make(outside)


def make(outside: Any, resolution: int = 16, **options: Any) -> sw.GeneratorSession:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = outside.family.Waves(outside.family.WavesConfig(resolution))
    generator.estimate_w_avg(1000)
    return sw.GeneratorSession(generator, device="cpu", name="waves", metadata={"name": "waves"}, **options)


# -- the texts --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_how_to_quotes_the_example_to_the_letter(name: str) -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert (OUTSIDE / f"{name}.py").read_text(encoding="utf-8") in blocks


def test_the_other_lines_of_the_how_to_run(outside: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    examples = {(OUTSIDE / f"{name}.py").read_text(encoding="utf-8") for name in EXAMPLES}
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"torch": torch}
    with torch.random.fork_rng(devices=[]):
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            if block not in examples:
                exec(block, names)  # noqa: S102  our own text
    for made in names.values():
        if isinstance(made, widgets.Widget):
            made.close()


def test_the_architecture_names_every_room_in_order_and_only_files_that_exist() -> None:
    package, text = Path(sw.__file__).parent, (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    there = [path.stem for path in package.iterdir() if path.is_dir() or path.suffix == ".py"]
    assert sorted(rooms) == sorted(name for name in there if not name.startswith("_"))
    down = {
        f"{name} imports {target}"
        for name, targets in IMPORTS.items()
        for target in targets
        if {room(name), room(target)} <= set(rooms) and rooms.index(room(target)) > rooms.index(room(name))
    }
    assert down == set()
    places = re.findall(r"\b(?:\w+/)+(?:\w+\.(?:py|js))?", "".join(re.findall(r"```\n(.*?)```", text, re.DOTALL)))
    assert len(places) > 30 and [place for place in places if not (package / place).exists()] == []


def test_an_explorer_tool_takes_about_forty_lines() -> None:
    assert len((OUTSIDE / "tool.py").read_text(encoding="utf-8").splitlines()) <= 50


# -- the examples -----------------------------------------------------------------------------------------------------------
def test_the_family_draws_restarts_and_goes_through_a_file(session: sw.GeneratorSession, tmp_path: Path) -> None:
    latent = session.latent(seed=3, psi=0.7)
    picture = session.image(latent)
    assert picture.shape == (16, 16, 3) and picture.std() > 10
    styles, cache = session.code_styles(latent), session.cache()
    with torch.no_grad():
        cache.run(styles)
        styles[1] = styles[1] * 1.5
        assert torch.equal(cache.run(styles), session.synthesize(styles))
    session.save(tmp_path / "waves.safetensors", dtype="fp32")
    again = sw.load(tmp_path / "waves.safetensors", device="cpu")
    assert np.array_equal(again.image(latent), picture)


def test_the_edit_exaggerates_ends_at_the_mean_and_goes_through_a_file(
    outside: Any, session: sw.GeneratorSession, tmp_path: Path
) -> None:
    latent = session.latent(seed=3)
    mean, w = session.map(latent.replace(psi=0.0)), session.map(latent)
    for strength in (-1.0, 0.5):
        edited = latent.with_edit(outside.edit.Caricature(strength))
        assert torch.allclose(session.map(edited), w + strength * (w - mean), atol=1e-6)
    assert sw.Latent.load(edited.save(tmp_path / "a.json")) == edited
    rows = session.map(latent.with_edit(outside.edit.Caricature(0.5, (1, 2))))
    assert torch.equal(rows[:, 0], w[:, 0]) and not torch.equal(rows[:, 1], w[:, 1])


def test_the_method_comes_nearer_and_goes_on_exactly_where_it_was_saved(
    session: sw.GeneratorSession, tmp_path: Path
) -> None:
    target = session.latent(seed=5)
    run = inversion.start("hill-climb", session, target, steps=40)
    first = run.advance().terms["loss"]
    inversion.save_run(run, tmp_path / "run.safetensors")
    whole, resumed = run.finish(), inversion.resume(tmp_path / "run.safetensors", session).finish()
    assert whole.history[-1]["loss"] < first * 0.9
    assert np.array_equal(whole.code, resumed.code) and whole.space == "w"
    from_json = session.start(run.spec or {})
    assert np.array_equal(jobs.run(from_json).code, whole.code)
    with pytest.raises(ValueError, match="steps"):
        inversion.start("hill-climb", session, target, steps=0)


def test_the_tool_borrows_follows_undo_and_measures_at_rest(session: sw.GeneratorSession) -> None:
    explorer = sw.LatentExplorer(session, tools=["borrow", "save"])
    tool = explorer.tools["borrow"]
    tool.button.click()
    assert explorer.value.strength("borrowed") == 1.0 and tool.seed.value == 2
    whole = session.code_styles(explorer.value)
    assert torch.equal(whole[1], session.code_styles(session.latent(seed=2))[1])
    assert torch.equal(whole[0], session.code_styles(session.latent(seed=0))[0])
    explorer.view.on_settle()
    assert "levels" in tool.words.value
    explorer.undo()
    assert explorer.value.edits == () and tool.amount.value == 0.0
    explorer.close()


def test_the_domain_reads_and_segments_what_the_family_draws(outside: Any, session: sw.GeneratorSession) -> None:
    known = domain.of(session)
    assert known is not None and known.name == "waves" and known.reader is not None
    latent = session.latent(seed=3)
    labels = stylespace.segmentation(session, latent)
    assert np.array_equal(labels, session.image(latent).mean(axis=2) > 127.5) and 0 < labels.mean() < 1
    pictures = session.synthesize(session.map(latent))
    assert known.reader().values(pictures)[0, 0] == pytest.approx(float(pictures.mean()))
