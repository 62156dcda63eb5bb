"""Measures that see through the factor network: edits, distributions of factors, neighbours."""
