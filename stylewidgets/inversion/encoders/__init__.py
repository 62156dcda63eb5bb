"""Encoders: networks that answer with a code at once."""
