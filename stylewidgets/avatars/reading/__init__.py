"""From pictures back to factors."""
