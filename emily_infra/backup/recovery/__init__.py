"""A host's data back on a machine that lost it, from a repository."""
