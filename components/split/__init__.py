"""Which images stay together, and which split each goes to. Pure."""
