"""Rules about system."""
