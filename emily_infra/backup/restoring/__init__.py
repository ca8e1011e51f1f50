"""Giving back what was kept, never over what is there."""
