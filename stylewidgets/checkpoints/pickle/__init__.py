"""Reading pickles as data: an unpickler that makes passive records and never calls what a file names."""

from . import legacy  # adds the nested storages, which are pickles again, to what an unpickler may make
