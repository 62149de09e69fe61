"""`python -m kpatch_rs` is the command."""

from kpatch_rs.cli import main

main()
