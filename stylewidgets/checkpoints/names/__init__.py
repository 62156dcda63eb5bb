"""Parameter names of other code bases under ours."""
