"""The arithmetic of ``bench posed``: what is carried, correlations, letters, tables; and that a record is taken up again."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from stylewidgets.avatars import BODY, PARTS
from stylewidgets.avatars.reading import judge
from stylewidgets.avatars.surface import GARMENTS
from stylewidgets.avatars.world.body import LETTERS
from stylewidgets.avatars.world.groups import columns
from stylewidgets.bench.posed import pairs, report, ways
from stylewidgets.bench.posed.measure import FLOOR, held, measure
from stylewidgets.generators.families import build
from stylewidgets.generators.posed import Posed, PosedConfig
from stylewidgets.generators.posed.reposing import OUTSIDE, Garment, Reposing

SIDE = 32
judged = pytest.mark.skipif(not judge.BUNDLED.is_file(), reason="the judge is not in this checkout")


@pytest.fixture(scope="module")
def network() -> Posed:
    torch.manual_seed(0)
    return held(build("posed", PosedConfig.small(SIDE, ngf=4, scales=3, widest=8, parts=len(PARTS) - 1)).eval())


def still(size: int = 4) -> torch.Tensor:
    line = (torch.arange(size) * 2 + 1) / size - 1
    return torch.stack([line.expand(size, -1), line[:, None].expand(-1, size)])[None]


def test_what_is_carried_is_the_source_where_the_flow_leads_and_the_copy_elsewhere() -> None:
    picture = torch.linspace(-1, 1, 48).view(1, 3, 4, 4)
    flow = still().flip(3)  # from the other side
    flow[..., 0, :] = OUTSIDE
    found = ways.carried(Reposing(picture, picture[:, :1], picture, flow))
    assert torch.equal(found[:, :, 1:], ways.eight_bits(picture.flip(3))[:, :, 1:])
    assert torch.equal(found[:, :, 0], ways.eight_bits(picture)[:, :, 0])


def test_a_garment_is_carried_by_its_own_flow_where_it_shall_be() -> None:
    own, theirs = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2, :] = 1
    found = ways.carried(Reposing(own, mask, own, still(), Garment(theirs, mask, still(), mask)))
    assert bool((found[:, :, :2] == 1).all()) and float(found[:, :, 2:].abs().max()) < 0.01


def test_correlation_looks_into_the_mask_alone_and_at_no_brightness() -> None:
    torch.manual_seed(0)
    a, mask = torch.randn(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    b = torch.where(mask > 0, 0.3 * a + 0.2, torch.randn(1, 3, 8, 8))
    assert pairs.correlation(a, b, mask) == pytest.approx(1)
    assert pairs.correlation(a, -a, mask) == pytest.approx(-1)
    assert abs(pairs.correlation(a, torch.randn(1, 3, 8, 8), mask)) < 0.4


def test_detail_is_nothing_where_a_picture_is_flat_up_to_the_edge_of_the_mask() -> None:
    mask = torch.zeros(1, 1, 12, 12)
    mask[..., 3:9, 3:9] = 1
    picture = torch.where(mask > 0, 0.4, -1.0).expand(1, 3, -1, -1)
    assert float((pairs.detail(picture, mask) * mask).abs().max()) < 1e-5


def test_off_is_in_grey_levels_and_says_nothing_of_an_empty_mask() -> None:
    mask = torch.tensor([[[[1.0, 0.0]]]])
    assert pairs.off(torch.tensor([[[[0.0, 1.0]]]]).expand(1, 3, 1, 2), torch.zeros(1, 3, 1, 2) - 1, mask) == 127.5
    assert pairs.off(mask, mask, torch.zeros(1, 1, 1, 2)) is None


@pytest.mark.slow
def test_each_letter_is_nearest_to_its_own_re_render() -> None:
    pair = pairs.badges(1)[0]
    images, region = pairs.letters(pair[1], 64)
    assert len(images) == len(LETTERS) and 0 < float(region.mean()) < 0.1
    for k in (0, 5):
        far = ((images[k] - images).abs() * region).sum(dim=(1, 2, 3))
        assert int(far.argmin()) == k and int((far == 0).sum()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("part", ["hat", "clothes"])
def test_partners_show_the_part_and_have_the_colours_that_follow(part: str) -> None:
    (own, other), *_ = pairs.partners(part, 1)
    index = columns(BODY).index
    for name in pairs.FOLLOWS.get(part, ()):
        assert bool(own[0, index[name]] == other[index[name]])
    shown = ways.truth(other[None], 64, "part").part.long()
    assert int(torch.isin(shown, torch.tensor(GARMENTS[part])).sum()) >= pairs.VISIBLE


@pytest.mark.slow
def test_the_exact_way_is_nearer_to_the_re_render_than_a_copy(network: Posed) -> None:
    pair = pairs.pairs(1)[0]
    drawn, _ = ways.every(partial(ways.figure, pair[0]), pair[1], SIDE, network)
    wanted = ways.truth(pair[1:], SIDE).image
    off = {name: float((picture - wanted).abs().mean()) for name, picture in drawn.items()}
    assert set(off) == set(report.WORDS) - {"network, no transfer"}
    assert off["carried, exact"] < off[ways.COPY] and off["carried, atlas"] < off[ways.COPY]


@judged
@pytest.mark.slow
def test_a_record_is_taken_up_again_and_its_tables_have_every_way(
    network: Posed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylewidgets.bench.posed.measure.GARMENTS", {"hair": GARMENTS["hair"]})
    monkeypatch.setattr("stylewidgets.bench.posed.pairs.LETTER_SIZE", 64)
    found: dict[str, Any] = {"rows": {}}
    words = measure(found, network, 2, 4)
    assert next(words) == "pairs 1 of 2"
    first = found["rows"]["pairs"][0]
    for _ in measure(found, network, 2, 4):
        pass
    assert found["rows"]["pairs"][0] is first and len(found["rows"]["pairs"]) == 2
    assert not list(measure(found, network, 2, 4))
    assert set(found["frechet"]) == {*first, FLOOR}
    monkeypatch.setattr("stylewidgets.bench.posed.report.GARMENTS", {"hair": ()})
    found["rows"]["clothes"] = found["rows"]["hair"]
    tables = report.tables(report.summary(found))
    assert all(word in tables["pairs"] for name, word in report.WORDS.items() if name in first)
    assert tables["parts"].count("\n") == 2 and "stripes, detail" in tables["patterns"] and "64 px" in tables["letters"]


def test_of_nothing_the_tables_say_so_and_other_generators_are_refused() -> None:
    assert set(report.tables(report.summary({"rows": {}})).values()) == {"Not measured yet."}
    with pytest.raises(ValueError, match="avatar-posed"):
        held(build("posed", PosedConfig.small(16, ngf=4, scales=2, widest=8)))
