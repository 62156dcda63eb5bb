"""What the groups "unseen" and "detail" add to the picture; without them nothing here draws anything."""
