"""Memory (4xxx)."""

from emily_runtime.messages.message import Catalogue

MEMORY: Catalogue = {}
