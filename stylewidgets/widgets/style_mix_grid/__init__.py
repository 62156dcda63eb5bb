"""StyleMixGrid: the style-mixing figure of StyleGAN, alive."""
