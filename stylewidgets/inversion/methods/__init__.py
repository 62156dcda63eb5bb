"""The optimisations, a file for each method."""
