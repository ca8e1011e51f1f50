"""The cognitive runtime; it imports nothing of emily_infra."""

__version__ = "0.1.0"
