"""Rules about secret."""
