"""Generators with a scene in space, trained on the avatars seen from known cameras."""
