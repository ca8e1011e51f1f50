"""Features that are on for some identities and not for others."""
