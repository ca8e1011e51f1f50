"""The configuration file, read once and strictly, and the credentials."""

from emily_runtime.config.config import Config
from emily_runtime.config.credentials import credential
from emily_runtime.config.reading import read
from emily_runtime.config.reloading import reloaded

__all__ = ["Config", "credential", "read", "reloaded"]
