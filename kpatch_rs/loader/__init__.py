"""Bytes to model and back: the only room that reads untrusted series files."""
