"""What we are measured beside: each peer in an interpreter of its own, never a dependency."""
