"""Reading pickles as data: an unpickler that makes passive records and never calls what a file names."""
