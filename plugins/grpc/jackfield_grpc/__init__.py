"""Dapr's Conversation API over gRPC."""
