"""Bus, topology, supervision, pressure and replay (7xxx)."""

from emily_runtime.messages.message import Catalogue

NERVES: Catalogue = {}
