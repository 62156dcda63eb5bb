"""From a latent to bytes on the wire: cache, ladder, pump, encoders; and films."""
