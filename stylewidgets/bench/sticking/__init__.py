"""``stylewidgets bench sticking``: whether details move with a face, or stick to the pixels."""
