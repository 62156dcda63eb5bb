"""What stands around the live picture, a file for each."""
