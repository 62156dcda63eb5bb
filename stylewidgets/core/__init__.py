"""What every room may use: checks, values, devices, pixels, files. Nothing in here loads torch when it is imported."""
