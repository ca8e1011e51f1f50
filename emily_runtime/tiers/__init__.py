"""The tiers: pure functions of state, input, time and seed, over NumPy and the standard library."""
