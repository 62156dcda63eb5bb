"""``stylewidgets bench editing``: every way to edit on the same faces, read by a judge that none of them was made by."""
