"""How well avatars are re-posed, held against exact re-renders."""
