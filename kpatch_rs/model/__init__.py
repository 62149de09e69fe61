"""Pure values: no I/O, no git, no click. Everything here is frozen and compares by value."""
