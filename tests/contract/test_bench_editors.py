"""Every editor of ``bench editing`` keeps the protocol that the table is made by."""

from __future__ import annotations

import numpy as np
import pytest

import stylewidgets as sw
from stylewidgets.bench.editing.editors import Editor, Linear, linear_editors
from stylewidgets.bench.editing.faces import ATTRIBUTES, Population
from stylewidgets.bench.editing.machines import machines
from stylewidgets.directions import sample_w
from stylewidgets.latent.latent import Latent
from stylewidgets.session.session import GeneratorSession

NAMES = (
    "linear shift",
    "InterFaceGAN boundary",
    "conditioned boundary",
    "shipped direction",
    "best style channel",
    "PCA component",
    "SeFa component",
    "StyleFlow",
    "StyleRig",
    "global direction",
    "mapper",
    "optimiser",
)


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    return sw.load()


@pytest.fixture(scope="module")
def editors(session: GeneratorSession) -> dict[str, Editor]:
    """All, with readings that are known functions of w, so that nothing has to be drawn."""
    w = sample_w(session, 400, 1)
    along = np.random.RandomState(2).randn(w.shape[1], len(ATTRIBUTES))
    readings = dict(zip(ATTRIBUTES, (w @ along).T.astype(np.float64), strict=True))
    made = [*linear_editors(session, Population(w, readings, readings)), *machines(session)]
    return {editor.name: editor for editor in made}


@pytest.fixture(params=NAMES)
def editor(request: pytest.FixtureRequest, editors: dict[str, Editor]) -> Editor:
    if request.param not in editors:
        pytest.skip("its files do not ship with this generator yet")
    return editors[request.param]


def first(editor: Editor) -> str:
    found = [name for name in ATTRIBUTES if editor.why_not(name) is None]
    if not found:
        pytest.skip("it fits no attribute of this population")
    return found[0]


def code(session: GeneratorSession, latent: Latent) -> np.ndarray:
    return session.flat_styles(latent).cpu().numpy()


def test_no_editor_is_in_the_table_that_this_list_does_not_know(editors: dict[str, Editor]) -> None:
    assert set(editors) <= set(NAMES) and {"linear shift", "InterFaceGAN boundary"} <= set(editors)


def test_it_says_why_not(editor: Editor) -> None:
    assert editor.why_not("nonsense")
    assert all(editor.why_not(name) is None or editor.why_not(name) for name in ATTRIBUTES)


def test_an_edit_is_a_latent_that_the_session_draws_and_the_given_one_stays(
    editor: Editor, session: GeneratorSession
) -> None:
    if editor.costly:
        pytest.skip("it takes seconds")
    latent, name = session.latent(seed=3, psi=1.0), first(editor)
    edited = editor.edit(latent, {name: 1.0})
    assert session.check(edited) == edited != latent and latent == session.latent(seed=3, psi=1.0)
    assert np.abs(code(session, edited) - code(session, latent)).max() > 1e-3


def test_more_is_further_the_other_way_is_another_and_twice_is_the_same(
    editor: Editor, session: GeneratorSession
) -> None:
    if editor.costly:
        pytest.skip("it takes seconds")
    latent, name = session.latent(seed=3, psi=1.0), first(editor)
    start = code(session, latent)
    little, much, back = (code(session, editor.edit(latent, {name: c})) - start for c in (0.3, 0.9, -0.3))
    assert np.linalg.norm(much) > np.linalg.norm(little)
    assert np.linalg.norm(little - back) > 0.2 * np.linalg.norm(little)
    assert np.array_equal(code(session, editor.edit(latent, {name: 0.3})) - start, little)


def test_channels_have_their_side_in_the_direction_alone(editors: dict[str, Editor]) -> None:
    editor = editors["best style channel"]
    assert isinstance(editor, Linear)
    assert len(editor.units) > 10 and all(unit > 0 for unit in editor.units.values())
    assert any(direction.name.endswith("× -1") for direction in editor.directions.values())
