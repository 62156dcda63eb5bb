"""InversionViewer: from a picture back to a code, watched, compared and edited."""
