"""A new version of the cognitive runtime beside the old one, and the callers moved over to it."""
