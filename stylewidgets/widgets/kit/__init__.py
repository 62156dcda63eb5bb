"""What the widgets are built from."""
