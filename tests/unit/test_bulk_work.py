"""What plans of shards compute: the same as the work in one process, in memory that does not grow, and of one generator only."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylewidgets import inversion, jobs, stylespace
from stylewidgets.avatars import AvatarDataset
from stylewidgets.avatars import sharded as data
from stylewidgets.avatars.scoring import sharded as evaluation
from stylewidgets.avatars.scoring.features import look
from stylewidgets.checkpoints.formats import native
from stylewidgets.directions._sampling import styles_of
from stylewidgets.editing.parts import sharded as galleries
from stylewidgets.editing.words import measuring
from stylewidgets.editing.words import sharded as words
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion import sharded as photos
from stylewidgets.jobs.plans.shards import maker_of
from stylewidgets.metrics import frechet
from stylewidgets.session import GeneratorSession
from stylewidgets.session.load import load
from stylewidgets.session.shards import opened, stamp
from stylewidgets.stylespace import sharded
from stylewidgets.stylespace.channel import Channel

METHOD, SETTINGS = "projector", {"steps": 2}


def saved(path: Path, seed: int = 0, c_dim: int = 0) -> Path:
    torch.manual_seed(seed)
    config = StyleGAN2Config(z_dim=8, c_dim=c_dim, w_dim=8, resolution=16, channels=(8, 8, 8), mapping_layers=2)
    native.save(path, StyleGAN2(config), {"name": path.stem}, "fp32")
    return path


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def session(generator: Path) -> GeneratorSession:
    return load(generator, device="cpu", precision="fp32")


def carried_out(plan: Any, fn: str, folder: Path) -> jobs.Kept:
    kept = jobs.run(jobs.bulk(plan, fn, folder), disable=True)
    assert kept is not None and kept.failures() == [], kept.failures()
    return kept


def statistics(generator: Path, folder: Path, n: int = 300, count: int = 4, keep: int = 100, psi: float = 1.0) -> Any:
    kept = carried_out(sharded.edges_plan(generator, psi=psi), sharded.EDGES, folder)
    plan = sharded.placed(sharded.plan(kept, n, count, keep=keep), generator)
    carried_out(plan, sharded.STATISTICS, folder)
    return sharded.merged(kept, plan, load(generator, device="cpu", precision="fp32"))


# -- statistics --------------------------------------------------------------------------------------------------------------
def test_statistics_are_those_of_all_faces(generator: Path, session: GeneratorSession, tmp_path: Path) -> None:
    found = statistics(generator, tmp_path, psi=0.7)
    both = [face for k in range(4) for face in sharded.faces(session, 0, k, 75, 0.7)]
    w, s = (np.concatenate(part) for part in zip(*both, strict=True))
    assert found.faces == 300 and found.n == 100
    assert np.allclose(found.mean, s.mean(axis=0, dtype=np.float64), atol=1e-6)
    assert np.allclose(found.std, s.std(axis=0, dtype=np.float64), rtol=1e-5)
    assert np.array_equal(found.w, w[:100]) and np.array_equal(found.values, s[:100].astype(np.float16))
    assert np.array_equal(found.least, s.min(axis=0)) and np.array_equal(found.most, s.max(axis=0))
    assert (found.counts.sum(axis=1) == 300).all()
    at = (0.0, 0.1, 0.5, 0.9, 1.0)
    for channel in (Channel(0, 0), Channel(2, 5)):
        i = channel.flat(session.layers)
        assert np.allclose(found.quantiles(channel, at), np.quantile(s[:, i], at), atol=2 * found.width[i])
        counts, edges = found.histogram(channel)
        assert np.abs(counts - np.histogram(s[:, i], edges)[0]).max() <= 1, "a value on an edge may go to either side"
        with pytest.raises(ValueError, match="give a divisor"):
            found.histogram(channel, 7)


def test_w_of_a_shard_gives_its_styles(generator: Path, session: GeneratorSession, tmp_path: Path) -> None:
    found = statistics(generator, tmp_path, n=70, count=1, keep=70)
    assert np.allclose(found.values, styles_of(session, found.w), atol=2e-3)
    with torch.inference_mode():
        z = torch.from_numpy(jobs.stream(0, 0).randn(70, 8).astype(np.float32))
        assert np.allclose(found.w, session.map_z(z).numpy(), atol=1e-6)


def test_neither_threads_nor_the_number_of_a_run_change_a_bit(generator: Path, tmp_path: Path) -> None:
    files = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found = statistics(generator, tmp_path / str(threads))
            files.append(found.save(tmp_path / f"{threads}.safetensors").read_bytes())
            assert torch.get_num_threads() == threads, "given back"
    finally:
        torch.set_num_threads(before)
    assert files[0] == files[1]


def test_memory_does_not_grow_with_the_number_of_faces(generator: Path, tmp_path: Path) -> None:
    kept = carried_out(sharded.edges_plan(generator), sharded.EDGES, tmp_path)
    make, peaks = maker_of(sharded.STATISTICS), []
    for n in (2 * sharded.BLOCK, 32 * sharded.BLOCK):
        (shard,) = sharded.placed(sharded.plan(kept, n, 1, keep=2), generator)
        tracemalloc.start()
        make(shard, tmp_path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0], "numpy tells tracemalloc of its arrays"


def test_classes_of_a_conditional_generator_are_drawn_too(tmp_path: Path) -> None:
    generator = saved(tmp_path / "classes.safetensors", c_dim=3)
    found = statistics(generator, tmp_path / "made", n=150, count=2)
    assert found.faces == 150 and np.isfinite(found.mean).all()


def test_saved_statistics_are_statistics_and_of_one_generator(
    generator: Path, session: GeneratorSession, tmp_path: Path
) -> None:
    made = statistics(generator, tmp_path / "made")
    path = made.save(tmp_path / "statistics.safetensors")
    again = sharded.ManyStatistics.load(path, session)
    assert isinstance(again, stylespace.Statistics) and again.faces == made.faces and again.layers == made.layers
    assert np.array_equal(again.counts, made.counts) and again.machines == made.machines
    direction = stylespace.edit_direction(session, {Channel(0, 1): 1.0}, again)
    assert direction.space == "s"
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=32, channels=(8, 8, 8, 8), mapping_layers=2)
    with pytest.raises(ValueError, match="another generator"):
        sharded.ManyStatistics.load(path, GeneratorSession(StyleGAN2(config), device="cpu", name="other"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="is no file of statistics, or it is damaged"):
        sharded.ManyStatistics.load(path, session)


def test_other_weights_or_another_torch_are_never_mixed(generator: Path, tmp_path: Path) -> None:
    carried_out(sharded.edges_plan(generator), sharded.EDGES, tmp_path / "made")
    other = saved(tmp_path / "other.safetensors", seed=1)
    with pytest.raises(ValueError, match="weights is .* never mixed"):
        jobs.bulk(sharded.edges_plan(other), sharded.EDGES, tmp_path / "made")
    (shard,) = sharded.edges_plan(generator)
    for change in ({"weights": "0" * 64}, {"torch": "1.0"}):
        with pytest.raises(ValueError, match="make a plan of its own in another folder"):
            opened({**shard, **change})
    edges = tmp_path / "made" / "edges.safetensors"
    plan = sharded.placed(sharded.plan(jobs.Kept(tmp_path / "made"), 10, 1, keep=2), generator)
    edges.unlink()
    carried_out(sharded.edges_plan(generator, seed=1), sharded.EDGES, tmp_path / "made")
    kept = jobs.run(jobs.bulk(plan, sharded.STATISTICS, tmp_path / "made"), disable=True)
    assert kept is not None and "edges of the histograms are others" in kept.failures()[0].error


def test_a_bundled_generator_is_known_by_its_name_on_every_machine(generator: Path) -> None:
    assert stamp("avatar-64", "cpu")["where"] == {"model": "avatar-64"}
    assert stamp(generator, "cpu")["where"] == {"model": str(generator)}
    assert stamp(generator, "cuda")["device"] == "cuda", "of the workers, which this machine need not be"


# -- the others ----------------------------------------------------------------------------------------------------------------
def test_a_gallery_of_shards_finds_what_one_of_one_job_finds(
    generator: Path, session: GeneratorSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(galleries, "SHARD", 8)
    plan = galleries.plan(20, generator, seed=3, psi=0.8)
    kept = carried_out(plan, galleries.STYLES, tmp_path)
    index = galleries.merged(kept, plan, session)
    assert len(index) == 20 and index.latent(19) == session.latent(seed=22, psi=0.8)
    style = session.flat_styles(session.latent(seed=11, psi=0.8))[0].numpy()
    (best, closeness) = index.nearest(style, np.ones(index.channels, np.float32), 1)[0]
    assert best == 8 and closeness == pytest.approx(1, abs=1e-3)
    assert len(galleries.merged(kept, plan, session)) == 20, "nothing is in it twice"


class Eyes:
    """In the role of a text encoder: what it sees of a picture are three means."""

    name, fingerprint, dim = "eyes", "eyes-1", 3

    def pictures(self, x: torch.Tensor) -> torch.Tensor:
        seen = torch.stack(
            [x[:, :, :8].mean((1, 2, 3)), x[:, :, 8:].mean((1, 2, 3)), x[:, :, :, :4].mean((1, 2, 3))], 1
        )
        return torch.nn.functional.normalize(seen + 0.1, dim=1)

    def to(self, device: object) -> Eyes:
        return self


@pytest.mark.slow
def test_a_table_of_shards_is_that_of_one_job_to_the_bit(
    generator: Path, session: GeneratorSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words.text, "load", lambda *given: Eyes())
    plan = words.plan(3, generator, faces=2, pictures=5)
    kept = carried_out(plan, words.MEASURED, tmp_path)
    found = words.merged(kept, plan, session, Eyes())
    whole = measuring.measure(session, Eyes(), faces=2, pictures=5, cached=False)
    assert found.share == 1 and dict(found.about) == dict(whole.about)
    for name in ("directions", "lengths", "sigma", "spread"):
        assert np.array_equal(getattr(found, name), getattr(whole, name)), name


@pytest.mark.slow
def test_photographs_are_files_of_results_and_a_broken_one_is_a_line(
    generator: Path, session: GeneratorSession, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a face.png", "b.png"):
        Image.fromarray(session.image(session.latent(seed=len(name)))).save(folder / name)
    (folder / "broken.png").write_bytes(b"no picture")
    plan = photos.plan(folder, METHOD, generator, **SETTINGS)
    kept = jobs.run(jobs.bulk(plan, photos.INVERTED, tmp_path / "made"), disable=True)
    assert kept is not None
    (failure,) = kept.failures()
    assert failure.name == "broken" and "broken.png" in failure.error
    result = inversion.Result.load(kept.path("a_face"))
    assert result.method == METHOD and result.names == ("a face",)
    whole = inversion.start(METHOD, session, folder / "a face.png", **SETTINGS).finish()
    assert np.array_equal(result.code, whole.code)
    (folder / "broken.png").unlink()
    with pytest.raises(FileNotFoundError, match="no folder"):
        photos.plan(tmp_path / "nowhere", METHOD, generator)


def test_two_photographs_of_one_name_are_two_files(generator: Path, session: GeneratorSession, tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "ä.png"):
        Image.fromarray(session.image(session.latent(seed=1))).save(tmp_path / name)
    names = [shard["name"] for shard in photos.plan(tmp_path, METHOD, generator)]
    assert len(set(names)) == 3 and {"a", "_"} < set(names)


@pytest.mark.slow
def test_renders_of_shards_are_the_items_of_the_dataset(tmp_path: Path) -> None:
    plan = data.plan(5, 2, seed=4, resolution=32, outputs=("image", "segmentation", "landmarks"))
    carried_out(plan, data.RENDERED, tmp_path)
    made, world = data.RenderedShards(tmp_path, plan), AvatarDataset(4, 5, 32, ("image", "segmentation", "landmarks"))
    assert len(made) == 5
    for i in (0, 2, 4):
        item, wanted = made[i], world[i]
        assert set(item) == {"image", "segmentation", "landmarks", "factors"}
        assert all(torch.equal(item[name], wanted[name]) for name in item)
    with pytest.raises(IndexError, match="0 to 4"):
        made[5]
    (tmp_path / "00001.safetensors").unlink()
    with pytest.raises(ValueError, match="1 of 2 shards are not there"):
        data.RenderedShards(tmp_path, plan)
    with pytest.raises(ValueError, match="there is no output for a file 'camera'"):
        data.plan(5, 2, outputs=("camera",))


@pytest.mark.slow
def test_an_evaluation_of_shards_is_that_of_all_features(generator: Path, tmp_path: Path) -> None:
    plan = evaluation.plan(12, 2, "avatar-64")
    kept = carried_out(plan, evaluation.SEEN, tmp_path)
    found = evaluation.merged(kept, plan)
    session = load("avatar-64", device="cpu", precision="fp32")
    seen = {kind: [] for kind in evaluation.KINDS}
    net = evaluation.load_regressor()
    for shard in plan:
        seen[shard["what"]] += [look(net, images).features for images in evaluation._pictures(session, shard)]
    features = {kind: np.concatenate(rows) for kind, rows in seen.items()}
    for kind in (evaluation.SAMPLES, evaluation.FLOOR):
        assert found[kind]["frechet"] == pytest.approx(frechet(features[evaluation.RENDERS], features[kind]), rel=1e-6)
    assert not np.array_equal(features[evaluation.RENDERS], features[evaluation.FLOOR])
    assert found["n"] == 12
