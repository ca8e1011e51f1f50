"""Feature flags (6xxx)."""

from emily_runtime.messages.message import Catalogue

FLAGS: Catalogue = {}
