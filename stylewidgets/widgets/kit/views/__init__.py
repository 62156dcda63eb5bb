"""Views of our own on the page: a Python class and its script for each."""
