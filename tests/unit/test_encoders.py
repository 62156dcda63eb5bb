"""Encoders for inversion: which generators they fit, what they answer, and how they are trained."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch

import stylewidgets as sw
from stylewidgets import inversion
from stylewidgets.core.options import add_options
from stylewidgets.inversion.encoders import small
from stylewidgets.training import encoders as training


@pytest.fixture(scope="module")
def session(device: str) -> sw.GeneratorSession:
    return sw.load("avatar-64", device=device)


def encoder(kind: str = "psp", rows: int = 10, w_dim: int = 128) -> small.SmallEncoder:
    torch.manual_seed(0)
    net = small.SmallEncoder(small.Shape(kind, rows, w_dim, (8, 8, 16, 16), 2, kind == "e4e"), torch.zeros(w_dim), 0.5)
    return net.eval().requires_grad_(False)


def saved(tmp_path: Path, session: sw.GeneratorSession, kind: str = "psp", **changes: str) -> str:
    path = tmp_path / f"{kind}.safetensors"
    about = {"w_space": session.fingerprint("w"), "generator": "avatar-64"} | changes
    small.save(encoder(kind), path, about)
    return str(path)


def test_a_saved_encoder_answers_as_before_to_half_precision(tmp_path: Path, session: sw.GeneratorSession) -> None:
    again, about = small.load(saved(tmp_path, session))
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    assert about["generator"] == "avatar-64"
    torch.testing.assert_close(again(images), encoder()(images), atol=5e-3, rtol=5e-3)


def test_one_picture_of_a_batch_does_not_see_the_others() -> None:
    images = torch.rand(3, 3, 64, 64) * 2 - 1
    torch.testing.assert_close(encoder()(images)[1:2], encoder()(images[1:2]), atol=1e-5, rtol=1e-5)


def test_larger_pictures_are_pooled_first() -> None:
    images = torch.rand(1, 3, 64, 64) * 2 - 1
    large = images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(encoder()(large), encoder()(images))


def test_an_encoder_in_a_run_gives_what_the_network_says(tmp_path: Path, session: sw.GeneratorSession) -> None:
    path = saved(tmp_path, session)
    target = inversion.Target.of([session.latent(seed=1), session.latent(seed=2)], session)
    result = inversion.invert(session, target, "psp", encoder=path)
    net, _ = small.load(path)
    torch.testing.assert_close(torch.from_numpy(result.code), net(target.images))
    assert result.steps == 1 and result.space == "w+" and result.latent(1).code is not None


def test_restyle_repeats_itself_and_sees_what_it_drew(tmp_path: Path, session: sw.GeneratorSession) -> None:
    path = saved(tmp_path, session, "restyle")
    net, _ = small.load(path)
    target = inversion.Target.of(session.latent(seed=1), session)
    code = net.centre.expand(1, 10, -1)
    for _ in range(3):
        code = net(target.images, session.synthesize(code), code)
    result = inversion.invert(session, target, "restyle", encoder=path, steps=3)
    torch.testing.assert_close(torch.from_numpy(result.code), code, atol=1e-4, rtol=1e-4)
    assert [frame.step for frame in result.frames] == [1, 2, 3]


def test_a_restyle_run_that_is_resumed_ends_where_it_would_have(tmp_path: Path, session: sw.GeneratorSession) -> None:
    path = saved(tmp_path, session, "restyle")
    target = inversion.Target.of(session.latent(seed=1), session)
    whole = inversion.invert(session, target, "restyle", encoder=path, steps=3)
    first = inversion.start("restyle", session, target, encoder=path, steps=3)
    first.advance()
    second = inversion.start("restyle", session, target, encoder=path, steps=3)
    second.restore(first.state())
    torch.testing.assert_close(torch.from_numpy(second.finish().code), torch.from_numpy(whole.code))


def test_an_encoder_of_another_w_space_is_refused_with_the_command_that_makes_one(
    tmp_path: Path, session: sw.GeneratorSession
) -> None:
    path = saved(tmp_path, session, w_space="0" * 16)
    with pytest.raises(ValueError, match="stylewidgets train encoders"):
        inversion.start("psp", session, session.latent(seed=1), encoder=path)


def test_a_method_and_an_encoder_of_another_kind_do_not_go_together(
    tmp_path: Path, session: sw.GeneratorSession
) -> None:
    with pytest.raises(ValueError, match="is a psp encoder"):
        inversion.start("e4e", session, session.latent(seed=1), encoder=saved(tmp_path, session))


def test_damaged_and_missing_files_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no")
    with pytest.raises(ValueError, match="no encoder of this package"):
        small.load(broken)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        small.load(tmp_path / "none.safetensors")


def test_widening_keeps_what_an_encoder_does_until_it_learns_to_look_at_the_drawn_picture() -> None:
    narrow, wide = encoder(), encoder("restyle")
    training.widen(wide, narrow)
    images, drawn = torch.rand(2, 2, 3, 64, 64)
    torch.testing.assert_close(wide(images, drawn), narrow(images))


def test_an_e4e_encoder_begins_as_one_w_and_frees_one_row_after_the_other() -> None:
    net, old = encoder("e4e"), encoder()
    training.widen(net, old)
    images = torch.rand(2, 3, 64, 64)
    code = net(images)
    torch.testing.assert_close(code[:, 0], old(images)[:, 0])
    torch.testing.assert_close(code, code[:, :1].expand_as(code))
    stages = [training.free_rows(share / 100, 12) for share in range(101)]
    assert stages[0] == 1 and stages[-1] == 12 and sorted(stages) == stages and set(stages) == set(range(1, 13))


def test_weights_of_losses_are_given_by_name_and_a_mistake_is_told() -> None:
    assert training.weights_of(["w=0", "delta=0.1"]) == {**training.WEIGHTS, "w": 0.0, "delta": 0.1}
    with pytest.raises(ValueError, match="no loss 'delt'; did you mean 'delta'"):
        training.weights_of(["delt=1"])
    for wrong in ("w=-1", "w=", "w"):
        with pytest.raises(ValueError, match="a weight is NAME=VALUE, such as w=0; 'w"):
            training.weights_of([wrong])


def test_a_history_gives_back_every_code_once_at_most_and_about_half_of_them_from_before() -> None:
    torch.manual_seed(0)
    history, codes = training.History(10), torch.arange(400.0)[:, None]
    shown = torch.cat([history.mixed(codes[i : i + 4]) for i in range(0, 400, 4)])[:, 0]
    assert torch.equal(shown[:10], codes[:10, 0])  # it fills first
    later = shown[10:]
    old = later != codes[10:, 0]
    assert 0.4 < float(old.float().mean()) < 0.6 and bool((later[old] < codes[10:, 0][old]).all())
    given = [*shown[10:].tolist(), *(float(code) for code in history.held)]
    assert len(set(given)) == len(given) == 400


def trained(tmp_path: Path, *more: str) -> training.EncoderTraining:
    parser = argparse.ArgumentParser()
    add_options(parser, training.OPTIONS)
    usual = ["--generator", "avatar-64", "--out", str(tmp_path), "--batch", "1", "--device", "cpu"]
    return training.EncoderTraining(parser.parse_args([*more, *usual]))


@pytest.mark.slow
def test_without_the_known_w_nothing_pulls_a_code_towards_it(tmp_path: Path) -> None:
    runs = [trained(tmp_path, "psp", "--weight", f"w={weight}") for weight in (0, 0.3)]
    for run in runs:
        torch.manual_seed(1)
        run.step(torch.zeros(1, 3, 64, 64))
    assert "pixels" in runs[0].means and "pixels" not in runs[1].means  # the other only learns w at first
    runs[0].save()
    assert "w" not in small.load(tmp_path / "encoder.safetensors")[1]["weights"]


@pytest.mark.slow
def test_an_e4e_that_goes_on_from_an_e4e_keeps_all_its_rows(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    first = trained(tmp_path / "a", "e4e")
    assert not first.freed
    first.save()
    again = trained(tmp_path / "b", "e4e", "--start-from", str(tmp_path / "a" / "encoder.safetensors"))
    assert again.freed and again.before == {"e4e": 0}


@pytest.mark.parametrize("kind", small.KINDS)
def test_a_training_step_lowers_the_losses_of_its_own_batch_and_is_resumed(tmp_path: Path, kind: str) -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, training.OPTIONS)
    args = parser.parse_args(
        [
            kind,
            "--generator",
            "avatar-64",
            "--out",
            str(tmp_path),
            "--batch",
            "1",
            "--images",
            "40",
            "--device",
            "cpu",
            "--steps",
            "1",
        ]
    )
    run = training.EncoderTraining(args)
    before = {name: value.clone() for name, value in run.net.state_dict().items()}
    losses = run.step(torch.zeros(1, 3, 64, 64))
    assert all(torch.isfinite(torch.tensor(value)) for value in losses.values())
    assert any(not torch.equal(value, before[name]) for name, value in run.net.state_dict().items())
    run.save()
    again = training.EncoderTraining(args)
    assert again.images == run.images
    assert all(
        torch.equal(a, b) for a, b in zip(again.net.state_dict().values(), run.net.state_dict().values(), strict=True)
    )
    assert small.load(tmp_path / "encoder.safetensors")[1]["w_space"] == run.session.fingerprint("w")
