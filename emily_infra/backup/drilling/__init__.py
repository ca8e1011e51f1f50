"""Drills: copies are restored, compared with what they were made from, and thrown away."""
