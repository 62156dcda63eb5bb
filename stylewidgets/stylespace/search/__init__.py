"""Which channels do it: by place, by attribute, by example."""
