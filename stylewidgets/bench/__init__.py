"""How fast it is here: ``stylewidgets bench``. Times that depend on each other are taken in turns in one run."""
