"""What every domain promises, checked on avatars and on a stub that is also the how-to of a domain of one's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylewidgets import domain, inversion, stylespace, weights
from stylewidgets.avatars.reading.estimates import Errors, errors_path
from stylewidgets.avatars.reading.factor_net import BUNDLED, load_regressor, save_regressor
from stylewidgets.directions import DirectionSet
from stylewidgets.domain import Domain, Example, Reader
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion.evaluation.known import known_edits
from stylewidgets.latent.latent import Direction
from stylewidgets.session.session import GeneratorSession
from stylewidgets.stylespace import Report
from stylewidgets.widgets.style_space_probe.steps import Regions

SIDE = 32


# -- a domain of one's own: pictures whose halves have a brightness ---------------------------------------------------
def read(pictures: Tensor) -> Tensor:
    return torch.stack([half.mean((1, 2, 3)) for half in pictures.chunk(2, dim=3)], dim=1)


class Halves:
    """Which pixel shows what."""

    names = ("left", "right")

    def __call__(self, picture: domain.Pixels) -> domain.Pixels:
        height, width = picture.shape[:2]
        labels: domain.Pixels = np.repeat(np.arange(width)[None] >= width // 2, height, axis=0).astype(np.uint8)
        return labels


class Patches:
    """Pictures drawn from known factors [N, 2]: the brightness of each half in [-1, 1]."""

    def bounds(self, attribute: str) -> tuple[float, float] | None:
        return (-1.0, 1.0) if attribute in Halves.names else None

    def values(self, factors: Tensor, attribute: str) -> domain.Floats:
        return np.asarray(factors[:, Halves.names.index(attribute)].double().numpy())

    def redraw(self, factors: Tensor, attribute: str, values: domain.Floats, side: int) -> domain.Pixels:
        rows = factors.clone()
        rows[:, Halves.names.index(attribute)] = torch.from_numpy(values).float()
        return self._draw(rows, side)

    def example(self, seed: int, side: int) -> Example:
        factors = torch.from_numpy(np.random.RandomState(seed).uniform(-0.5, 0.5, (1, 2)).astype(np.float32))
        image = torch.from_numpy(self._draw(factors, side)[0]).permute(2, 0, 1)
        return Example({"image": image, "factors": factors[0]}, f"patches({seed}, {side})")

    def _draw(self, factors: Tensor, side: int) -> domain.Pixels:
        grey = ((factors + 1) * 127.5).repeat_interleave(side // 2, dim=1)
        drawn: domain.Pixels = grey[:, None, :, None].expand(-1, side, -1, 3).to(torch.uint8).numpy()
        return drawn


def brightness(picture: object) -> object:
    return float(np.asarray(picture).mean())


PATCHES = Domain(
    "patches",
    noun="patch",
    network="mean",
    fits=lambda metadata: metadata.get("name") == "patches-32",
    reader=lambda: Reader(Halves.names, read, spread=((0.0, 0.3), (0.0, 0.3))),
    segmenter=Halves,
    identity=lambda a, b: torch.cosine_similarity(a.flatten(1), b.flatten(1)),
    features=lambda device: lambda pictures: [pictures, torch.nn.functional.avg_pool2d(pictures, 2)],
    captions=lambda pictures: [f"{float(left):.1f} beside {float(right):.1f}" for left, right in read(pictures)],
    camera=lambda pictures: np.zeros((len(pictures), 3)),
    observe=brightness,
    describe=lambda a, b: "brighter" if b > a else "darker",  # type: ignore[operator]
    world=Patches,
)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    domain.register(PATCHES)
    yield
    domain.unregister("patches")


@pytest.fixture(params=["patches", "avatars"])
def known(request: pytest.FixtureRequest) -> Domain:
    if request.param == "avatars" and not BUNDLED.is_file():
        pytest.skip("the factor network is not in this checkout")
    return domain.get(request.param)


@pytest.fixture
def pictures(known: Domain) -> Tensor:
    assert known.world is not None
    items = [known.world().example(seed, SIDE).item["image"] for seed in (1, 2)]
    return torch.stack([item.float() / 127.5 - 1 for item in items if isinstance(item, Tensor)])


def drawing(metadata: dict[str, Any]) -> Any:
    return SimpleNamespace(metadata=metadata)


def toy(*directions: Direction, **metadata: Any) -> GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, w_dim=8, resolution=SIDE, channels=(4, 4, 4, 4), mapping_layers=1)
    return GeneratorSession(
        StyleGAN2(config), name="toy", device="cpu", metadata=metadata, directions=DirectionSet(directions)
    )


# -- what every domain promises --------------------------------------------------------------------------------------------
def test_the_reader_names_its_readings_and_tells_how_they_spread(known: Domain, pictures: Tensor) -> None:
    assert known.reader is not None
    reader = known.reader()
    with torch.inference_mode():
        values, deviations = reader.values(pictures, batch=1), reader.deviations(pictures)
    assert values.shape == (2, len(reader.names)) and np.isfinite(values).all()
    mean, deviation = np.array(reader.spread).T
    np.testing.assert_allclose(deviations * deviation + mean, values, atol=1e-4)
    assert len(reader.attributes) == len(reader.names) and len(set(reader.names)) == len(reader.names)
    assert all(reader.column(name) == i for i, name in enumerate(reader.names)) and reader.column("no such") == -1


def test_the_reader_is_differentiable_whoever_asked_for_it_first(known: Domain, pictures: Tensor) -> None:
    assert known.reader is not None
    with torch.inference_mode():
        reader = known.reader()
    x = pictures.clone().requires_grad_()
    reader(x).sum().backward()
    assert x.grad is not None and float(x.grad.abs().sum()) > 0


def test_the_segmenter_knows_its_names_and_gives_every_pixel_one(known: Domain, pictures: Tensor) -> None:
    assert known.segmenter is not None
    segmenter = known.segmenter()
    labels = segmenter(((pictures[0] + 1) * 127.5).permute(1, 2, 0).to(torch.uint8).numpy())
    assert labels.shape == (SIDE, SIDE) and labels.dtype == np.uint8
    assert len(set(segmenter.names)) == len(segmenter.names) > int(labels.max())


def test_identity_is_one_for_the_same_and_less_for_another(known: Domain, pictures: Tensor) -> None:
    assert known.identity is not None
    with torch.inference_mode():
        same, other = known.identity(pictures, pictures), known.identity(pictures, pictures.flip(0))
    assert same.shape == (2,) and torch.allclose(same.float(), torch.ones(2), atol=1e-4)
    assert bool((other < 0.99).all())


def test_feature_maps_get_coarser_and_carry_gradients(known: Domain, pictures: Tensor) -> None:
    assert known.features is not None
    x = pictures.clone().requires_grad_()
    maps = known.features(torch.device("cpu"))(x)
    sides = [m.shape[-1] for m in maps]
    assert sides == sorted(sides, reverse=True) and all(m.ndim == 4 and len(m) == 2 for m in maps)
    maps[-1].sum().backward()
    assert x.grad is not None


def test_captions_and_cameras_are_one_a_picture(known: Domain, pictures: Tensor) -> None:
    assert known.captions is not None and known.camera is not None
    assert all(known.captions(pictures)) and len(known.captions(pictures)) == 2
    camera = known.camera(pictures)
    assert camera.shape == (2, 3) and np.isfinite(camera).all()


def test_what_is_observed_of_two_pictures_is_described_in_words(known: Domain, pictures: Tensor) -> None:
    assert known.observe is not None and known.describe is not None
    seen = [known.observe(((p + 1) * 127.5).permute(1, 2, 0).to(torch.uint8).numpy()) for p in pictures]
    assert known.describe(*seen)


def test_the_world_redraws_its_example_and_changes_one_attribute_only(known: Domain) -> None:
    assert known.world is not None and known.reader is not None
    world = known.world()
    item, code = world.example(3, SIDE)
    assert code and item["image"].shape == (3, SIDE, SIDE)  # type: ignore[attr-defined]
    factors = item["factors"][None]  # type: ignore[index]
    name = next(name for name in known.reader().names if world.bounds(name) is not None)
    low, high = world.bounds(name) or (0.0, 0.0)
    now = world.values(factors, name)
    again = world.redraw(factors, name, now, SIDE)
    assert again.shape == (1, SIDE, SIDE, 3) and again.dtype == np.uint8
    assert np.abs(again[0].astype(int) - np.asarray(item["image"]).transpose(1, 2, 0)).max() <= 1
    other = world.redraw(factors, name, np.where(now < (low + high) / 2, high, low), SIDE)
    assert np.abs(other.astype(int) - again).max() > 20
    assert world.bounds("no such attribute") is None


def test_its_own_stamp_is_accepted_older_ones_too_and_newer_ones_refused_in_words(known: Domain) -> None:
    known.check(known.stamp(readings=True), "a table")
    known.check(None, "a table of version 0.1")
    for key, words in (("version", "pictures"), ("reader", "readings")):
        newer = known.stamp(readings=True) | {key: 9}
        with pytest.raises(ValueError, match=rf"a table was made with version 9 of the {words}.*upgrade stylewidgets"):
            domain.check(newer, "a table")
    with pytest.raises(ValueError, match="of the domain 'cats'"):
        known.check({"name": "cats"}, "a table")
    domain.check({"name": "cats", "version": 9}, "a table of a domain that is not registered")


@pytest.mark.skipif(not BUNDLED.is_file(), reason="the factor network is not in this checkout")
def test_files_of_the_first_version_are_read_and_newer_ones_refused_in_words(tmp_path: Path) -> None:
    newer = {"name": "avatars", "version": 2, "reader": 1}
    tables = ((Errors.load, errors_path(BUNDLED)), (Report.load, weights.FOLDER / "avatar-64.stylespace.json"))
    for load, path in tables:
        data = json.loads(path.read_text(encoding="utf-8"))
        assert "domain" not in data and load(path).domain is None
        copy = tmp_path / path.name
        for stamp in (newer | {"version": 1}, newer):
            copy.write_text(json.dumps(data | {"domain": stamp}), encoding="utf-8")
            if stamp["version"] == 1:
                assert load(copy).domain == stamp
        with pytest.raises(ValueError, match=r"version 2 of the pictures of 'avatars'.*upgrade stylewidgets"):
            load(copy)


@pytest.mark.skipif(not BUNDLED.is_file(), reason="the factor network is not in this checkout")
def test_a_factor_network_states_its_world_and_one_of_a_newer_world_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = load_regressor()
    own = save_regressor(net, tmp_path / "own.safetensors", metrics=net.metrics, training=net.metadata)
    assert load_regressor(own).heads == net.heads
    monkeypatch.setitem(domain._REGISTERED, "avatars", replace(domain.get("avatars"), reader_version=2))
    newer = save_regressor(net, tmp_path / "newer.safetensors", metrics=net.metrics, training=net.metadata)
    monkeypatch.delitem(domain._REGISTERED, "avatars")
    with pytest.raises(ValueError, match="version 2 of the readings"):
        load_regressor(newer)


def test_asking_for_a_domain_loads_neither_torch_nor_its_network() -> None:
    check = (
        "from types import SimpleNamespace as S; from stylewidgets import domain; import sys\n"
        "found = domain.of(S(metadata={'domain': 'avatars'}))\n"
        "assert found.noun == 'avatar' and found.reader is not None and found.segmenter is not None\n"
        "assert not {'torch', 'ipywidgets'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=120)


# -- the rule ----------------------------------------------------------------------------------------------------------
def test_what_the_weights_state_decides_and_never_a_name() -> None:
    cats = toy(name="avatar-cats")
    assert domain.of(cats) is None
    regions = Regions(cats, None, None)
    assert regions.names == ()
    with pytest.raises(ValueError, match="give a segmenter"):
        stylespace.segmentation(cats, cats.latent(seed=1))
    with pytest.raises(ValueError, match="give a reader"):
        stylespace.make_report(cats, samples=20)
    assert domain.of(drawing({"name": "mine", "domain": {"name": "avatars", "version": 1}})) is domain.get("avatars")
    assert domain.of(drawing({"domain": "patches"})) is PATCHES
    assert domain.of(drawing({"name": "avatar-64", "domain": "cats"})) is None


def test_generators_of_the_first_version_state_it_by_their_recipe() -> None:
    assert domain.of(drawing({"recipe": {"twist": 0.3}})) is domain.get("avatars")
    assert domain.of(drawing({"recipe": "ffhq"})) is None and domain.of(drawing({})) is None


def test_where_nothing_is_stated_the_latest_domain_that_fits_is_taken() -> None:
    session = drawing({"name": "patches-32"})
    assert domain.of(session) is PATCHES
    second = domain.register(replace(PATCHES, name="second"))
    assert domain.of(session) is second
    domain.unregister("second")
    assert domain.of(session) is PATCHES and domain.names() == ("avatars", "patches")


@pytest.mark.parametrize("version", [2, "two"])
def test_a_generator_of_a_newer_world_is_drawn_but_not_read(version: object) -> None:
    with pytest.warns(RuntimeWarning, match="its pictures are not read"):
        assert domain.of(drawing({"domain": {"name": "avatars", "version": version}})) is None


def test_an_unknown_domain_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'avatars'"):
        domain.get("avatar")


# -- a domain of one's own in the rest of the package ----------------------------------------------------------------------
def test_a_domain_of_ones_own_serves_probe_and_evaluation() -> None:
    session = toy(Direction("left", np.eye(8, dtype=np.float32)[0]), domain="patches")
    regions, latent = Regions(session, None, None), session.latent(seed=1)
    assert regions.names == ("left", "right") and regions.mask(latent, "left")[:, : SIDE // 2].all()
    assert stylespace.segmentation(session, latent)[0, -1] == 1
    target = inversion.Target.of([Patches().example(seed, SIDE).item for seed in (1, 2)], session)
    edits = known_edits(target, session, ("left",), strength=0.5)
    assert edits is not None and edits.wanted == (0,) and edits.change is not None
    assert bool((edits.change[..., 1] == 0).all())
