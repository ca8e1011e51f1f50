"""Tier 3: hypotheses drawn in proportion to their reward (Bengio et al. 2021)."""
