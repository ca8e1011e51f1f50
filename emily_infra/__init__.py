"""One YAML file describes a NixOS box; this package checks it and renders it."""

__version__ = "0.1.0"
