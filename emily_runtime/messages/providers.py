"""Language model providers and the budget (5xxx)."""

from emily_runtime.messages.message import Catalogue

PROVIDERS: Catalogue = {}
