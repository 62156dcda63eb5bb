"""Makes the files of `weights` that editors need."""
