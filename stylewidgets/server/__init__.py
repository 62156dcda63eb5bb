"""`stylewidgets serve`: sessions on this machine for notebooks on others. `hub` says who is drawn for next, `app` speaks HTTP."""
