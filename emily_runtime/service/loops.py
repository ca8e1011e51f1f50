"""The fastest loop and parser that are installed."""

import asyncio
import importlib
import logging
from collections.abc import Callable
from typing import Any

LOG = logging.getLogger("emily_runtime.service")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, or nothing, which is asyncio's own."""
    try:
        made: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module(
            "uvloop"
        ).new_event_loop
    except ImportError:
        LOG.warning("uvloop is not installed: asyncio serves, at about half the speed")
        return None
    return made


def http_protocol() -> type[Any]:
    """The one on httptools, or the one on h11."""
    try:
        name = "quick"
        importlib.import_module("httptools")
    except ImportError:
        LOG.warning("httptools is not installed: h11 serves, at about half the speed")
        name = "plain"
    module = importlib.import_module(f"emily_runtime.service.{name}")
    made: type[Any] = module.HttpTools if name == "quick" else module.H11
    return made
