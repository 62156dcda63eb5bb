"""What every setting promises, in a script, in JSON and in a form, checked on those of the catalogue and on a stub."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from stylewidgets import inversion
from stylewidgets.settings import Method, Setting, checked
from stylewidgets.widgets.kit.controls.form import Form

STUB = (
    Setting("steps", 100, "steps of the search", low=1, high=5000, log=True),
    Setting("rate", 0.1, "learning rate", low=1e-5, high=10.0, log=True, label="learning rate", unit="σ a step"),
    Setting("space", "w", "where it searches", choices=("w", "w+")),
    Setting("fit_noise", True, "fit the noise pictures too", advanced=True),
    Setting("words", "a face", "what to look for", advanced=True),
)
WRONG: dict[str, object] = {"steps": 2.5, "rate": 11.0, "space": "z", "fit_noise": 1}
EVERY = {f"{name} {s.name}": s for name, method in inversion.METHODS.items() for s in method.settings}
EVERY |= {setting.name: setting for setting in STUB}


@pytest.mark.parametrize("setting", EVERY.values(), ids=EVERY)
def test_a_default_is_accepted_keeps_its_type_and_survives_json(setting: Setting) -> None:
    value = setting.check(json.loads(json.dumps(setting.default)))
    assert value == setting.default and type(value) is type(setting.default)
    assert setting.help and setting.words


@pytest.mark.parametrize("setting", [s for s in EVERY.values() if not isinstance(s.default, (bool, str))])
def test_numbers_outside_the_range_are_refused_with_the_range(setting: Setting) -> None:
    for end, beyond in ((setting.low, -1), (setting.high, 1)):
        if end is not None:
            assert setting.check(type(setting.default)(end)) == end
            with pytest.raises(ValueError, match=f"{setting.name} must be a"):
                setting.check(type(setting.default)(end + beyond))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        checked(STUB, {name: WRONG[name]})


def test_a_whole_number_is_a_number_and_the_others_get_their_defaults() -> None:
    assert checked(STUB, {"rate": 1, "steps": 7}) == {
        "steps": 7,
        "rate": 1.0,
        "space": "w",
        "fit_noise": True,
        "words": "a face",
    }


def test_an_unknown_setting_is_refused_with_the_nearest_and_the_method() -> None:
    method = Method("stub", "Stub", "Looks.", "nobody, 2026", "nowhere:start", STUB)
    with pytest.raises(ValueError, match="no setting of stub 'stepz'; did you mean 'steps'"):
        method.checked({"stepz": 3})


def test_a_setting_that_refuses_its_own_default_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="steps must be a whole number"):
        replace(STUB[0], default=0)
    with pytest.raises(ValueError, match="the lower end comes first"):
        Setting("x", "a", "nothing", low=2.0, high=0.0)


def test_settings_need_no_torch() -> None:
    check = "import stylewidgets.settings, sys; assert not {'torch', 'numpy', 'ipywidgets'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)


# -- in a form ---------------------------------------------------------------------------------------------------------
def test_values_go_round_through_a_form() -> None:
    form = Form(STUB)
    assert form.values == checked(STUB, {})
    given = {"steps": 12, "rate": 0.5, "space": "w+", "fit_noise": False, "words": "a cat"}
    form.set(given)
    assert form.values == given and Form(STUB, form.raw).values == given
    form.set({"steps": 3})
    assert form.values == checked(STUB, {"steps": 3})
    form.close()


def test_a_form_shows_labels_units_and_help_and_folds_away_what_is_advanced() -> None:
    form = Form(STUB)
    rate = form.controls["rate"]
    assert rate.description == "learning rate (σ a step)"
    assert "learning rate" in str(getattr(rate, "tooltip", None) or rate.description_tooltip)
    plain, advanced = form._plain.children, form._advanced.children
    assert [c.description for c in plain] == ["steps", "learning rate (σ a step)", "space"]
    assert [c.description for c in advanced] == ["fit noise", "words"]
    assert form._advanced.layout.display == "none"
    form.children[1].children[0].click()
    assert form._advanced.layout.display != "none"
    form.close()


def test_a_mistake_stands_beside_its_control_until_it_is_mended() -> None:
    form = Form(STUB)
    control = form.controls["rate"]
    control.value = 99.0
    shown = form._plain.children
    said = shown[shown.index(control) + 1]
    assert "rate must be a finite number" in said.value and "99 was given" in said.value
    with pytest.raises(ValueError, match="rate must be"):
        _ = form.values
    assert form.raw["rate"] == 99.0
    control.value = 0.2
    assert len(form._plain.children) == 3 and form.values["rate"] == 0.2
    form.close()


def test_wrong_values_from_a_script_change_nothing() -> None:
    form = Form(STUB)
    with pytest.raises(ValueError, match="space"):
        form.set({"steps": 5, "space": "z"})
    assert form.values == checked(STUB, {})
    form.close()


def test_the_button_brings_all_defaults_back() -> None:
    form = Form(STUB, {"steps": 9, "words": "x"}, reset="the paper's values")
    button = form.children[1].children[-1]
    assert button.description == "the paper's values"
    button.click()
    assert form.values == checked(STUB, {})
    form.close()


def test_nothing_is_no_text() -> None:
    with pytest.raises(ValueError, match="words is a text; None was given"):
        checked(STUB, {"words": None})
