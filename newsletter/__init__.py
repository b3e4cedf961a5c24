"""Compose an e-mail newsletter from a YAML file and send it so that everyone gets it once."""

__version__ = "0.1.0"
