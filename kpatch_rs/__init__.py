"""kpatch-rs keeps Rust integrations of C kernel subsystems as recipes.

A *series* is an ordered set of *recipes*; each recipe says what one patch means, not which lines it
touches. From the recipes the package renders commits on any kernel, proves each with a partial
build and writes the mails. The rooms and the one direction in which they may depend on each other
are written down, and enforced, in ``tests/test_rooms.py``.
"""

__version__ = "0.1.0"
