"""Hosts by their one pool `tank`."""

from functools import cache
from typing import Any

from emily_infra.spec.host import HostSpec
from emily_infra.spec.storage import Storage
from tests.hosts import pebble

DISKS = [f"disk-{letter}" for letter in "abcdefghijklmnop"]
Body = dict[str, Any]


def described(body: Body) -> HostSpec:
    """A host whose pool `tank` is this."""
    disks = {disk: {"size": "100GB", "media": "ssd"} for disk in DISKS}
    storage = Storage.model_validate({"disks": disks, "pools": {"tank": _tuples(body)}})
    return _base().model_copy(update={"storage": storage})


@cache
def _base() -> HostSpec:
    return pebble().spec


def _tuples(part: Any) -> Any:
    """Lists as the loader of host.yaml has them."""
    if isinstance(part, dict):
        return {key: _tuples(value) for key, value in part.items()}
    return tuple(map(_tuples, part)) if isinstance(part, list) else part
