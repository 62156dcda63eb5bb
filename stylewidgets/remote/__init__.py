"""Sessions on another machine: the messages that client and server exchange, and the client. Loads no torch."""
