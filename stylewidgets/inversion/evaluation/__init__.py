"""What an inversion is worth."""
