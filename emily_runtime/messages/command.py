"""The command line (8xxx)."""

from emily_runtime.messages.message import Catalogue

COMMAND: Catalogue = {}
