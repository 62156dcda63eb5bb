"""Parts of a picture: found, named, taken from another picture, and looked for in a gallery."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets.editing import Gallery, Parts
from stylewidgets.editing.parts import Catalogue, cluster, fitting, rules
from stylewidgets.generators.stylegan1 import StyleGAN1, StyleGAN1Config
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.jobs import Run
from stylewidgets.session import GeneratorSession


def made(seed: int = 0) -> GeneratorSession:
    torch.manual_seed(seed)
    config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=32, channels=(8, 8, 8, 8), mapping_layers=2)
    return GeneratorSession(StyleGAN2(config), device="cpu", name="tiny")


def finished(job):
    run = Run(job)
    for _ in run:
        pass
    return run.result()


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder of its own, so that nothing of these small generators is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEWIDGETS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    return made()


@pytest.fixture(scope="module")
def parts(session) -> Parts:
    return finished(Parts.fit(session, clusters=4, pictures=6))


def test_clusters_without_a_segmenter_are_parts_of_their_own(session, parts):
    assert parts.catalogue.names == ("part 1", "part 2", "part 3", "part 4")
    labels = parts.labels(session.latent(seed=1))
    assert labels.shape == (8, 8)
    assert sum(parts.mask(session.latent(seed=1), name).sum() for name in parts.catalogue.names) == 64


def test_the_same_seed_finds_the_same_parts(session, parts):
    again = finished(Parts.fit(session, clusters=4, pictures=6))
    assert np.array_equal(again.catalogue.centres, parts.catalogue.centres)
    assert again.weights == parts.weights


def test_a_transfer_moves_only_the_channels_of_the_part_and_at_0_nothing(session, parts):
    latent, reference = session.latent(seed=1), session.latent(seed=2)
    moved = parts.transfer(latent, reference, "pose", 1.0)
    before, after, there = (session.flat_styles(x)[0] for x in (latent, moved, reference))
    weights = torch.from_numpy(moved.edit("pose").weights.copy()).bool()
    assert torch.equal(after[weights], there[weights]) and torch.equal(after[~weights], before[~weights])
    assert weights.any() and not weights.all()
    none = moved.with_edit(moved.edit("pose").with_strength(0.0))
    assert np.array_equal(session.image(none), session.image(latent))


def test_clusters_are_merged_and_renamed_by_hand(parts):
    catalogue = parts.catalogue.named("hair", [0, 2])
    assert dict(catalogue.parts) == {"part 2": (1,), "part 4": (3,), "hair": (0, 2)}
    assert catalogue.part_of(2) == "hair"
    again = catalogue.named("fringe", [2])
    assert dict(again.parts)["hair"] == (0,)
    with pytest.raises(ValueError, match="needs a name"):
        catalogue.named(" ", [1])
    with pytest.raises(ValueError, match="belongs to one part at most"):
        Catalogue("b8.conv1", False, parts.catalogue.centres, {"a": (0,), "b": (0,)})


def test_hair_keeps_its_channels_in_the_coarse_layers_and_pose_has_the_others(session, parts):
    named = Parts(session, parts.catalogue.named("hair", [0, 1, 2]))
    found = named.channels(session.latent(seed=4))
    coarse = sum(layer.channels for layer in session.layers[:4])
    hair, pose = found[named.names.index("hair")], found[-1]
    assert torch.equal(hair[:coarse] + pose[:coarse], torch.ones(coarse))
    assert not pose[coarse:].any()
    assert not found[named.names.index("part 4"), :coarse].any()


def test_shares_of_all_parts_are_the_whole_energy_and_the_greedy_rule_uses_them(session, parts):
    shares = parts.catalogue.shares
    first = session.layers[0].channels
    assert np.allclose(shares[:, first:].sum(0), 1, atol=0.05)  # quiet channels lose a little to the eps of their norm
    assert not parts.greedy("part 1", rho=0.1, epsilon=0.0, coarse_epsilon=0.0).any()
    some = parts.greedy("part 1", rho=0.0, epsilon=100.0, coarse_epsilon=0.0)
    more = parts.greedy("part 1", rho=0.0, epsilon=300.0, coarse_epsilon=0.0)
    assert 0 < some.sum() <= more.sum()
    layers = [layer for layer in session.layers for _ in range(layer.channels)]
    assert not any(bool(c) and layer.kind == "torgb" for c, layer in zip(more, layers, strict=True))
    latent = parts.transfer(session.latent(seed=1), session.latent(seed=2), "part 1", method="editing")
    assert latent.edit("part 1").strength == 1.0


def test_a_file_gives_back_the_same_parts(session, parts, tmp_path):
    back = Parts.load(parts.save(tmp_path / "parts.safetensors"), session)
    assert back.weights == parts.weights and back.catalogue.names == parts.catalogue.names
    a, b = session.latent(seed=1), session.latent(seed=2)
    assert parts.transfer(a, b, "pose") == back.transfer(a, b, "pose")


def test_parts_of_another_generator_are_refused(parts, tmp_path):
    path = parts.save(tmp_path / "parts.safetensors")
    with pytest.raises(ValueError, match="are of another generator"):
        Parts.load(path, made(seed=1))


def test_a_damaged_file_is_refused_in_words(session, tmp_path):
    path = tmp_path / "parts.safetensors"
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="is no catalogue of parts"):
        Parts.load(path, session)


def test_what_cannot_be_transferred_is_said(session, parts):
    a, b = session.latent(seed=1), session.latent(seed=2)
    with pytest.raises(ValueError, match="there is no part 'eyes'"):
        parts.transfer(a, b, "eyes")
    with pytest.raises(ValueError, match="there is no method 'greedy'"):
        parts.transfer(a, b, "pose", method="greedy")
    with pytest.raises(FileNotFoundError, match=r"session.editors.fit\('parts'\)"):
        Parts.load(made(seed=5))


def test_the_nearest_in_a_part_is_the_picture_with_the_same_part(session, parts, tmp_path):
    query = session.latent(seed=1)
    others = [session.latent(seed=i) for i in range(10, 22)]
    twin = parts.transfer(others[7], query, "pose")
    gallery = finished(Gallery.of(session, others))
    gallery = finished(gallery.grown(session, [twin]))
    found = parts.retrieve(query, "pose", gallery, n=3)
    assert found[0][0] == twin and found[0][1] == pytest.approx(1.0, abs=1e-4)
    assert [c for _, c in found] == sorted((c for _, c in found), reverse=True)
    back = Gallery.load(gallery.save(tmp_path / "gallery.safetensors"))
    assert [latent for latent, _ in parts.retrieve(query, "pose", back, n=3)] == [latent for latent, _ in found]
    with pytest.raises(ValueError, match="gallery is of another generator"):
        other = made(seed=1)
        Parts(other, Catalogue("b8.conv1", False, parts.catalogue.centres, {})).retrieve(query, "pose", gallery)


def test_work_that_broke_off_goes_on_where_it_was_and_ends_the_same(session, parts, tmp_path, monkeypatch):
    run = Run(Parts.fit(session, clusters=4, pictures=6, folder=tmp_path, keep=False))
    while run.advance().words != "clusters":
        pass
    run.stop()
    drawn = []
    plain = fitting.features
    monkeypatch.setattr(fitting, "features", lambda *given: drawn.append(1) or plain(*given))
    again = finished(Parts.fit(session, clusters=4, pictures=6, folder=tmp_path, keep=False))
    assert len(drawn) == 1  # the first, for its size
    assert np.array_equal(again.catalogue.centres, parts.catalogue.centres)
    assert not list(tmp_path.iterdir())  # and nothing is left behind


def test_what_was_found_here_is_there_for_the_next_session(session, parts):
    assert Parts.known(session)
    assert Parts.load(session).weights == parts.weights
    assert not Parts.known(made(seed=5))


def test_clusters_go_to_the_region_that_they_fit_and_faint_names_are_not_given():
    overlap = np.array([[90.0, 5, 0], [10, 40, 0], [300, 0, 2]])
    assert fitting.assigned(overlap).tolist() == [0, 1, 0]


def test_the_bundled_generator_comes_with_parts_that_are_where_they_say():
    session = sw.load("avatar-128", device="cpu")
    parts = Parts.load(session)
    assert {"eyes", "mouth", "nose", "hair", "skin", "background"} <= set(parts.names)
    latent = session.latent(seed=3, psi=0.7)
    rows = np.nonzero(parts.mask(latent, "eyes"))[0]
    assert rows.mean() < np.nonzero(parts.mask(latent, "mouth"))[0].mean()
    assert parts.greedy("eyes").any()


def test_clusters_need_as_many_vectors():
    with pytest.raises(ValueError, match="4 clusters need as many vectors"):
        cluster(torch.ones(3, 5, dtype=torch.float32, device="cpu"), 4)


def test_an_empty_cluster_takes_a_vector_of_its_own():
    torch.manual_seed(0)
    vectors = torch.eye(3, dtype=torch.float32, device="cpu").repeat(4, 1)
    found = cluster(vectors, 3)
    assert found.inertia == pytest.approx(0, abs=1e-5)


def test_the_softmax_rule_takes_what_belongs_to_one_part_alone():
    shares = torch.tensor([[0.9, 0.5], [0.1, 0.5]], dtype=torch.float32, device="cpu")
    assert rules.by_softmax(shares).tolist() == [[1, 0], [0, 0]]


@pytest.mark.slow
def test_stylegan1_has_parts_too():
    torch.manual_seed(0)
    session = GeneratorSession(
        StyleGAN1(StyleGAN1Config(z_dim=8, w_dim=8, channels=(8, 8, 8), mapping_layers=2)), device="cpu"
    )
    parts = finished(Parts.fit(session, clusters=3, pictures=4))
    moved = parts.transfer(session.latent(seed=1), session.latent(seed=2), "pose")
    assert np.abs(session.image(moved).astype(int) - session.image(session.latent(seed=1))).max() > 0
