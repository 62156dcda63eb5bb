"""Everything that is shown: the live view and the widgets built around it."""
