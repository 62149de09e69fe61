"""Bring real kernels and a Rust-for-Linux toolchain onto a Debian machine.

Guarantees: only Debian's packages are used; nothing but the compilers is installed into the
system, everything else is unpacked below one folder; what is there already is not made again, and
what is there under its final name is complete. Runs on the standard library of Python 3.11, before
there is any virtual environment.
"""
