"""The factor network: outputs, training that resumes, files, and the real one's reading of renders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets.avatars import FACTORS, render, sample
from stylewidgets.avatars.reading import factor_net
from stylewidgets.avatars.reading.factor_net import FactorRegressor, load_regressor, make_heads, save_regressor
from stylewidgets.avatars.world.factors import Factor
from stylewidgets.training.regressor import augment, encode, evaluate, fit, train_regressor

WORLD = (
    Factor("level", "continuous", 0.0, 10.0, 5.0),
    Factor("hue", "circular", 0.0, 360.0, 0.0),
    Factor("mark", "categorical", 0.0, 2.0, 0.0, categories=("none", "left", "right")),
)


def world(n: int, seed: int = 0, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 [n, 3, side, side] whose factors are plain to see: grey level, colour of a band, where a bar is."""
    random = np.random.RandomState(seed)
    level, hue, mark = random.uniform(0, 10, n), random.uniform(0, 360, n), random.randint(0, 3, n)
    images = np.repeat((level * 20 + 20)[:, None, None, None], 3, axis=1) * np.ones((1, 1, side, side))
    angle = np.deg2rad(hue)
    images[:, :, side // 2 :] = 128
    images[:, 0, side // 2 :] += 100 * np.cos(angle)[:, None, None]
    images[:, 1, side // 2 :] += 100 * np.sin(angle)[:, None, None]
    images[mark == 1, :, :, 2:6] = 255
    images[mark == 2, :, :, -6:-2] = 255
    return images.astype(np.uint8), np.stack([level, hue, mark], axis=1).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network() -> FactorRegressor:
    torch.manual_seed(0)
    return FactorRegressor(make_heads(WORLD), resolution=32, widths=(8, 8, 8, 8))


@pytest.fixture(scope="module")
def trained() -> FactorRegressor:
    net = network()
    fit(net, *world(512), epochs=12, batch=32, rate=1e-2)
    return net


def floats(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images).float() / 127.5 - 1


@pytest.mark.slow
def test_the_network_learns_every_kind_of_factor(trained: FactorRegressor) -> None:
    metrics = evaluate(trained, *world(128, seed=9))
    assert metrics["level"] > 0.9 and metrics["hue"] > 0.8 and metrics["mark"] > 0.95


@pytest.mark.slow
def test_predictions_are_in_natural_units(trained: FactorRegressor) -> None:
    images, factors = world(64, seed=5)
    found = trained.predict(floats(images), batch=20)
    assert list(found) == ["level", "hue", "mark"] and all(v.shape == (64,) for v in found.values())
    assert np.abs(found["level"] - factors[:, 0]).mean() < 1
    turn = (found["hue"] - factors[:, 1] + 180) % 360 - 180
    assert np.abs(turn).mean() < 25 and found["hue"].min() >= 0 and found["hue"].max() < 360
    assert (found["mark"] == factors[:, 2]).mean() > 0.95


@pytest.mark.slow
def test_scores_are_real_valued_readings_of_every_factor(trained: FactorRegressor) -> None:
    images, factors = world(64, seed=6)
    found = trained.scores(floats(images))
    assert list(found) == ["level", "hue sin", "hue cos", "mark: none", "mark: left", "mark: right"]
    assert (found["mark: left"][factors[:, 2] == 1] > 0).mean() > 0.9
    assert np.corrcoef(found["hue sin"], np.sin(np.deg2rad(factors[:, 1])))[0, 1] > 0.9
    assert all(np.isfinite(v).all() for v in found.values())


@pytest.mark.slow
def test_a_prediction_does_not_depend_on_its_batch_or_the_size_of_the_picture(trained: FactorRegressor) -> None:
    x = floats(world(8, seed=7)[0])
    together = trained(x)
    torch.testing.assert_close(torch.cat([trained(part) for part in x.split(1)]), together, atol=1e-4, rtol=1e-4)
    doubled = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(trained(doubled), together, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_feature_maps_are_differentiable_and_halve_in_size(trained: FactorRegressor) -> None:
    x = floats(world(2)[0]).requires_grad_()
    maps = trained.features(x)
    assert [m.shape[-1] for m in maps] == [16, 8, 4, 2]
    sum(m.square().sum() for m in maps).backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    with pytest.raises(ValueError, match=r"\[N, 3, H, W\]; \[2, 1, 32, 32\] was given"):
        trained.features(torch.zeros(2, 1, 32, 32))
    with pytest.raises(RuntimeError, match="eval"):
        network().train().predict(x.detach())
    with pytest.raises(ValueError, match="multiple of 16; 40"):
        FactorRegressor(make_heads(WORLD), resolution=40)


def test_targets_are_standardised_and_losses_weigh_alike() -> None:
    _, factors = world(2_000)
    net = network()
    fit(net, *world(64), epochs=0)
    targets = encode(net.heads, factors)
    assert targets.shape == (2_000, 6)
    assert targets[:, :3].std(0).numpy() == pytest.approx(np.ones(3), abs=0.15)
    assert (targets[:, 3:].sum(1) == 1).all()


def test_augmentation_is_small_and_the_same_for_the_same_seed() -> None:
    x = floats(world(4)[0])
    first, second = (augment(x, np.random.RandomState(3)) for _ in range(2))
    torch.testing.assert_close(first, second, atol=0, rtol=0)
    assert first.shape == x.shape and 0 < (first - x).abs().mean() < 0.3 and first.abs().max() <= 1


@pytest.mark.slow
def test_an_interrupted_training_goes_on_to_the_same_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylewidgets.training.regressor.SAVE_EVERY", -1.0)
    data, whole, cut = world(96), network(), network()
    fit(whole, *data, epochs=2, batch=32)

    def stop(step: int, steps: int) -> None:
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(cut, *data, epochs=2, batch=32, checkpoint=tmp_path / "state.pt", callback=stop)  # type: ignore[call-arg]
    resumed, seen = network(), []
    fit(  # type: ignore[call-arg]
        resumed,
        *data,
        epochs=2,
        batch=32,
        checkpoint=tmp_path / "state.pt",
        callback=lambda step, steps: seen.append((step, steps)),
    )
    assert seen[0][0] > 1 and seen[-1] == (6, 6)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="belongs to a run of 6 steps, this one has 9"):
        fit(network(), *data, epochs=3, batch=32, checkpoint=tmp_path / "state.pt")


@pytest.mark.slow
def test_a_file_gives_back_the_network_and_its_figures(trained: FactorRegressor, tmp_path: Path) -> None:
    path = save_regressor(trained, tmp_path / "net.safetensors", metrics={"level": 0.9}, training={"images": 512})
    again = load_regressor(path)
    assert again.metrics == {"level": 0.9} and again.metadata == {"images": 512} and not again.training
    assert again.heads == trained.heads
    x = floats(world(16, seed=8)[0])
    assert (again(x) - trained(x)).abs().mean() < 0.05  # fp16 in the file


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["empty", "cut", "other"])
def test_a_broken_file_is_a_clear_error(trained: FactorRegressor, tmp_path: Path, damage: str) -> None:
    path = save_regressor(trained, tmp_path / "net.safetensors", metrics={}, training={})
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(1)}, str(path), metadata={"stylewidgets": '{"kind": "generator", "version": 1}'})
    with pytest.raises(ValueError, match=r"net.safetensors' is no factor network, or it is damaged"):
        load_regressor(path)
    with pytest.raises(FileNotFoundError, match="train regressor"):
        load_regressor(tmp_path / "none.safetensors")


def test_training_on_avatars_writes_a_network_and_its_card(tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    net = train_regressor(out, images=32, held_out=16, resolution=32, epochs=1, batch=16)
    assert set(net.metrics) == {factor.name for factor in FACTORS} == set(load_regressor(out).metrics)
    card = out.with_suffix(".md").read_text(encoding="utf-8")
    assert "--images 32" in card and "| yaw | R² |" in card and "| hat | accuracy" in card


@pytest.mark.slow
@pytest.mark.skipif(not factor_net.BUNDLED.is_file(), reason="the factor network is not in this checkout")
def test_the_bundled_network_reads_renders_as_well_as_its_card_says() -> None:
    net = load_regressor()
    factors = sample(192, seed=77)
    images = torch.cat([render(torch.from_numpy(part), net.resolution).image for part in np.split(factors, 4)])
    found: dict[str, Any] = evaluate(net, ((images + 1) * 127.5).round().byte().numpy(), factors)
    for name in ("yaw", "smile", "hair_lightness", "skin_tone", "glasses", "hat", "beard"):
        assert found[name] > 0.7 and found[name] > net.metrics[name] - 0.12
