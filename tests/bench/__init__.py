"""Benches: run by hand, never as tests (README.md)."""
