"""``stylewidgets bench points``: dragging, between two renders that differ in one factor."""
