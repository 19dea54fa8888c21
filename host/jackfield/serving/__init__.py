"""Serving: sockets, servers, signals and processes."""
