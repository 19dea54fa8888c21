"""Manifests: from files in a folder to decoded settings, every error with its file, line, field and fix."""
