"""Tier 3: what to do, by active inference over a discrete model (Friston et al. 2017)."""
