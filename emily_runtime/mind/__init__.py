"""The mind: the tiers as one cycle, and the one place where all parts of the runtime meet."""
