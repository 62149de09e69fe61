"""Tests against real kernels: provision brings them, `pytest -m kernel` runs them."""
