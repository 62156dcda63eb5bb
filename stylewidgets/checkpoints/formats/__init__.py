"""A file for each format: bytes in, `Loaded` out."""
