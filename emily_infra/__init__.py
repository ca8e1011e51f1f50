"""One YAML file describes a NixOS storage-and-AI box; this package checks, renders and applies it."""

__version__ = "0.1.0"
