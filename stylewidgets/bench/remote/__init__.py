"""How many people one machine serves at a time, and how fairly: many clients against one server, on loopback."""
