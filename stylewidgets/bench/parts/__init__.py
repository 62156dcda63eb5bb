"""``stylewidgets bench parts``: local edits and retrieval by part, against exact masks and exact re-renders."""
