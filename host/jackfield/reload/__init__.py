"""Reload: from files that change to a new catalog, make before break."""
