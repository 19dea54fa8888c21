"""The host's own plugins. They use the same hooks as everybody's, and no door besides."""
