"""Hostile and merely wrong host.yaml files, to find what they break: `python -m tests.fuzz`."""
