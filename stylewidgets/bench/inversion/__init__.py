"""``stylewidgets bench inversion``: every method of inversion on pictures whose truth is known."""
