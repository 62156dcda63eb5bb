"""Labels: in both ways of StyleGAN2, and as StyleGAN-XL's features with a mean of w for each class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stylewidgets.checkpoints import open_file
from stylewidgets.checkpoints.formats import native
from stylewidgets.generators.layers import normalize_2nd_moment
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config, infer_config
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.generators.stylegan3.xl_mapping import XLMapping
from stylewidgets.latent.latent import Code
from stylewidgets.session.session import GeneratorSession

from .. import pickle_writers as write


def joint() -> StyleGAN2:
    torch.manual_seed(0)
    return StyleGAN2(
        StyleGAN2Config(z_dim=8, w_dim=12, resolution=8, channels=(6, 4), mapping_layers=2, c_dim=3, label="joint")
    ).eval()


def xl(**changes: Any) -> StyleGAN3:
    torch.manual_seed(0)
    values: dict[str, Any] = {"z_dim": 8, "w_dim": 12, "c_dim": 3, "mapping": "stylegan-xl", "embed_dim": 6, **changes}
    generator = StyleGAN3(StyleGAN3Config.create("T", 16, channel_base=64, channel_max=8, **values)).eval()
    generator.estimate_w_avg(300)
    return generator


def same(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-5, atol=1e-6)


def after(mapping: Any, x: Tensor) -> Tensor:
    for name in ("fc0", "fc1"):
        x = mapping.get_submodule(name)(x)
    return x


def test_a_joint_label_is_normalised_together_with_z() -> None:
    generator = joint()
    z, c = torch.randn(2, 8), torch.eye(3)[[1, 2]]
    rows = generator.mapping.get_parameter("concat.weight")[[1, 2]]
    together = after(generator.mapping, normalize_2nd_moment(torch.cat([z, rows], dim=1)))
    apart = after(generator.mapping, torch.cat([normalize_2nd_moment(z), normalize_2nd_moment(rows)], dim=1))
    assert same(generator.map(z, c)[:, 0], together) and not same(together, apart)
    assert infer_config(generator.state_dict()) == generator.config


def test_the_separate_label_stays_the_default() -> None:
    generator = StyleGAN2(StyleGAN2Config(z_dim=8, w_dim=12, resolution=8, channels=(6, 4), mapping_layers=2, c_dim=3))
    z, c = torch.randn(2, 8), torch.eye(3)[:2]
    embed = generator.mapping.get_submodule("embed")
    x = torch.cat([normalize_2nd_moment(z), normalize_2nd_moment(c @ embed.weight.t() / 3**0.5 + embed.bias)], dim=1)
    assert same(generator.map(z, c)[:, 0], after(generator.mapping, x))
    with pytest.raises(ValueError, match="label is one of separate, joint"):
        StyleGAN2Config(label="beside")


def test_features_of_a_class_are_projected_and_put_beside_z() -> None:
    generator = xl()
    mapping = generator.mapping
    z, c = torch.randn(2, 8), torch.eye(3)[[2, 0]]
    project = mapping.get_submodule("embed_proj")
    features = mapping.get_parameter("embed.weight")[c.argmax(dim=1)]
    y = F.leaky_relu(features @ project.weight.t() / 6**0.5 + project.bias, 0.2) * 2**0.5
    x = torch.cat([normalize_2nd_moment(z), normalize_2nd_moment(y)], dim=1)
    assert mapping.get_parameter("fc0.weight").shape == (12, 16) and mapping.get_parameter(
        "embed_proj.weight"
    ).shape == (8, 6)
    assert same(generator.map(z, c)[:, 0], after(mapping, x))


def test_truncation_pulls_every_sample_to_the_mean_of_its_class() -> None:
    generator = xl()
    means = generator.mapping.get_buffer("w_avg")
    z, c = torch.randn(2, 8), torch.eye(3)[[2, 0]]
    ws = generator.map(z, c)
    assert means.shape == (3, 12) and generator.w_avg.shape == (12,) and same(generator.w_avg, means.mean(0))
    assert same(generator.truncate(ws, 0, c=c), means[[2, 0]][:, None].expand_as(ws))
    assert same(generator.truncate(ws[:, 0], 0, c=c), means[[2, 0]])
    half = generator.truncate(ws, 0.5, 1, c)
    assert same(half[:, 0], (ws[:, 0] + means[[2, 0]]) / 2) and torch.equal(half[:, 1:], ws[:, 1:])
    assert same(generator.truncate(ws, 0), means.mean(0).expand_as(ws))
    one = generator.truncate(ws, 0, c=c[:1])
    assert same(one[1, 0], means[2])


def test_the_mean_of_each_class_is_estimated_from_its_own_samples() -> None:
    generator = xl()
    z = torch.randn(4000, 8)
    for row, mean in enumerate(generator.mapping.get_buffer("w_avg")):
        w = generator.mapping(z, torch.eye(3)[row].expand(4000, -1)).detach()
        assert float((w.mean(0) - mean).norm()) < 0.35 * float(w.std(0).norm())


def test_sessions_truncate_by_the_label() -> None:
    session = GeneratorSession(xl(), device="cpu")
    means = session.generator.mapping.get_buffer("w_avg")
    for label in range(3):
        ws = session.map(session.latent(seed=1, label=label, psi=0))
        assert same(ws[0, 0], means[label])
    coded = session.latent(seed=1, label=2, psi=1)
    styles = torch.cat(session.code_styles(coded), dim=1)[0].numpy()
    again = session.latent(code=Code("s", styles), label=2, psi=0.0)
    wanted = torch.cat(session.generator.styles(means[2:]), dim=1)
    assert np.allclose(torch.cat(session.code_styles(again), dim=1), wanted, atol=1e-5)


@pytest.mark.parametrize("title", ["Generator", "SuperresGenerator"])
def test_a_stylegan_xl_pickle_opens_with_its_table_of_features(title: str, tmp_path: Path) -> None:
    generator = xl()
    state = {name: value.detach().clone() for name, value in generator.state_dict().items()}
    saved = write.module(state, classes={"": title})
    table = torch.nn.Embedding(3, 6)  # the only part that is a plain torch class there
    table.weight.data.copy_(state["mapping.embed.weight"])
    saved.meta["state"]["_modules"]["mapping"].meta["state"]["_modules"]["embed"] = table
    (tmp_path / "x.pkl").write_bytes(write.dumps(write.snapshot(saved, progress={"best_fid": 1.5})))
    again: Any = open_file(tmp_path / "x.pkl")[0]
    native.save(tmp_path / "x.safetensors", again, dtype="fp32")
    converted: Any = open_file(tmp_path / "x.safetensors")[0]
    z, c = torch.randn(2, 8), torch.eye(3)[:2]
    with torch.no_grad():  # the same path for both: with gradients to keep, the layers are drawn by plain torch
        one, two, three = (g.synthesize(g.truncate(g.map(z, c), 0.5, c=c)) for g in (generator, again, converted))
    assert torch.equal(one, two) and again.config == generator.config
    assert torch.equal(one, three) and converted.config == generator.config


def test_features_need_classes() -> None:
    with pytest.raises(ValueError, match="c_dim and embed_dim from 1; 0 and 6 were given"):
        XLMapping(StyleGAN3Config.create("T", 16, channel_base=64, channel_max=8, embed_dim=6))
