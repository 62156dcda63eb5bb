"""What the channels of a generator do, as one table, with its figures and measures."""
