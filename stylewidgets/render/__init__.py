"""From a latent to bytes on the wire: ladder, pump, encoders."""
