"""Kernels for a GPU beside the reference operations, what decides for them (`trials`) and what calls them (`fused`)."""
