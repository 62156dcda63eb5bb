"""A number past its limit stays as it was typed, with the limit beside it."""

from __future__ import annotations

import pytest

from stylewidgets.settings import Setting
from stylewidgets.widgets.kit.controls.form import Form


def test_a_whole_number_past_its_limit_is_told_and_not_changed() -> None:
    form = Form([Setting("steps", 3, "passes", 1, 20)])
    form.controls["steps"].value = 50
    assert form.controls["steps"].value == 50 and "from 1 to 20" in form._notes["steps"].value
    with pytest.raises(ValueError, match="steps must be a whole number from 1 to 20; 50 was given"):
        _ = form.values
    form.controls["steps"].value = 20
    assert form.values == {"steps": 20} and form._notes == {}
