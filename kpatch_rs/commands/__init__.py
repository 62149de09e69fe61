"""One module per verb: plain arguments in, a report out. The only room that wires the others."""
