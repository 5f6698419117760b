"""The SDK over HTTP: what ModelManager does, asked of a server."""
