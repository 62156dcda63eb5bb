"""Faces in photographs: found, and cropped as FFHQ is."""
