"""The memory in one file, for one host: the default."""
