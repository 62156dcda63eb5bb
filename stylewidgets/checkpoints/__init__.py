"""Reading and writing generator files. Nothing in a file is ever executed."""
