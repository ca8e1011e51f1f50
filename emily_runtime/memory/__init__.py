"""Episodic memory: what happened, found again by its words, by its vector, or by both."""
