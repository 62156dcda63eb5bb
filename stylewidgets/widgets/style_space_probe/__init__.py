"""StyleSpaceProbe: every channel of style space, seen."""
