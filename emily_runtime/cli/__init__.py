"""The command line: it parses, calls, and prints; nothing imports it."""
