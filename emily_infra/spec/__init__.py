"""What a person writes, typed: the one schema, and the way from YAML to it."""
