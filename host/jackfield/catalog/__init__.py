"""The catalog: which components live, and how one is built from its manifest."""
