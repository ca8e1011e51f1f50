"""Zenoh between a publisher and a subscriber of one session in one process."""

from collections.abc import Callable
from importlib import import_module
from time import sleep
from typing import Any

NAMES = ("eclipse-zenoh",)
BYTES = 100


def prepared(items: int) -> Callable[[], None]:
    """ITEMS messages, until the last one is there; nobody is looked for on the network."""
    zenoh: Any = import_module("zenoh")
    config = zenoh.Config()
    for key in ("scouting/multicast/enabled", "scouting/gossip/enabled"):
        config.insert_json5(key, "false")
    config.insert_json5("listen/endpoints", "[]")
    session = zenoh.open(config)
    heard: list[bytes] = []
    listens = session.declare_subscriber("bench", lambda sample: heard.append(sample.payload))
    speaks = session.declare_publisher("bench")

    def work() -> None:
        heard.clear()
        for _ in range(items):
            speaks.put(bytes(BYTES))
        while len(heard) < items:
            sleep(0.001)

    work.held = session, listens  # type: ignore[attr-defined]  # closed where nobody has it
    return work
