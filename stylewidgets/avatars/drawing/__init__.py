"""From factors to pictures with exact ground truth."""
