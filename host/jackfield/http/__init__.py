"""The HTTP API: Dapr's conversation, health, metadata and shutdown routes."""
