"""What the lesson shows on the page, besides the four widgets: small views of its own."""
