"""Plans: work in shards that are plain JSON, whose results are files; see `stylewidgets.jobs.bulk`."""
