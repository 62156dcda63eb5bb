"""What inversions minimise, and the networks that some losses look through."""
