"""``stylewidgets jobs``: work that is too much for one process, one file for each kind of plan."""
