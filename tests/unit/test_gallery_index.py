"""A gallery on disk: it finds what one in memory finds, grows, and keeps what was done when it is interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stylewidgets import jobs
from stylewidgets.editing import Gallery, GalleryIndex, Parts
from stylewidgets.editing.parts import Catalogue, index
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.session import GeneratorSession


def made(seed: int = 0) -> GeneratorSession:
    torch.manual_seed(seed)
    config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=16, channels=(8, 8, 8), mapping_layers=2)
    return GeneratorSession(StyleGAN2(config), device="cpu", name="tiny")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> GeneratorSession:
    monkeypatch.setattr(index, "SHARD", 4)
    return made()


def test_it_finds_what_a_gallery_in_memory_finds(session: GeneratorSession, tmp_path: Path) -> None:
    latents = [session.latent(seed=i) for i in range(10)]
    shelf, gallery = GalleryIndex(tmp_path / "faces", session), jobs.run(Gallery.of(session, latents))
    jobs.run(shelf.grown(session, latents))
    assert gallery is not None and len(shelf) == 10
    weights = np.zeros(shelf.channels, np.float32)
    weights[::3] = 1
    style = session.flat_styles(session.latent(seed=7))[0].numpy()
    found, wanted = shelf.nearest(style, weights, 4), gallery.nearest(style, weights, 4)
    assert [place for place, _ in found] == [place for place, _ in wanted]
    assert shelf.latent(found[0][0]) == session.latent(seed=7)
    assert np.allclose([c for _, c in found], [c for _, c in wanted], atol=1e-3)


def test_what_is_there_is_not_made_again_and_an_interrupted_job_goes_on(
    session: GeneratorSession, tmp_path: Path
) -> None:
    latents = [session.latent(seed=i) for i in range(10)]
    job = GalleryIndex(tmp_path, session).grown(session, latents)
    for _ in range(6):  # the second shard is not full yet
        next(job)
    job.close()
    again = GalleryIndex(tmp_path, session)
    assert len(again) == 4
    assert len(list(again.grown(session, [*latents, latents[0]]))) == 6
    assert len(GalleryIndex(tmp_path, session)) == 10


def test_a_shard_without_its_latents_counts_for_nothing(session: GeneratorSession, tmp_path: Path) -> None:
    jobs.run(GalleryIndex(tmp_path, session).grown(session, [session.latent(seed=i) for i in range(6)]))
    (tmp_path / "0001.json").unlink()
    assert len(GalleryIndex(tmp_path, session)) == 4


def test_parts_are_looked_for_in_it(session: GeneratorSession, tmp_path: Path) -> None:
    shelf = GalleryIndex(tmp_path, session)
    jobs.run(shelf.grown(session, [session.latent(seed=i) for i in range(6)]))
    parts = Parts(session, Catalogue("b8.conv1", False, np.eye(8, dtype=np.float32)[:2], {"a": (0,)}))
    found = parts.retrieve(session.latent(seed=3), "pose", shelf, n=2)
    assert found[0][0] == session.latent(seed=3) and found[0][1] > 0.999


def test_other_generators_and_other_folders_are_refused(session: GeneratorSession, tmp_path: Path) -> None:
    GalleryIndex(tmp_path / "own", session)
    with pytest.raises(ValueError, match="of another generator"):
        GalleryIndex(tmp_path / "own", made(seed=1))
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "letter.txt").write_text("hello")
    with pytest.raises(ValueError, match="other things in it"):
        GalleryIndex(tmp_path / "else", session)
    shelf = GalleryIndex(tmp_path / "own", session)
    jobs.run(shelf.grown(session, [session.latent(seed=1)]))
    np.save(tmp_path / "own" / "0000.npy", np.zeros((3, 1), np.float16))
    with pytest.raises(ValueError, match=r"float16 \[3, 1\] for 1 latents"):
        GalleryIndex(tmp_path / "own", session)
