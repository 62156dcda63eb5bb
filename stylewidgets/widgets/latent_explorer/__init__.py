"""LatentExplorer: a live picture with everything that shapes it."""
