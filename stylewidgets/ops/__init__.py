"""Tensor operations of the generators: a reference written to be read, and a quick form held to it by tests."""
