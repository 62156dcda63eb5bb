"""Animation between latents, and files of it."""
