"""The chain: how a request travels from a front end to a provider, and its events back."""
