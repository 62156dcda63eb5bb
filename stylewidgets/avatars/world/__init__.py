"""What an avatar can be: factors, their natural distribution, and their words."""
