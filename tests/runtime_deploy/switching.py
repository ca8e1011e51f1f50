"""Deploys as tests want them: a second of watching is one look, however long it takes."""

import os
from collections.abc import Callable

from emily_infra.runtime.engine import Switch
from emily_infra.runtime.order import Kind, Order
from emily_infra.runtime.record import Record
from emily_infra.runtime.standing import Limits
from tests.runtime_deploy.looks import Looks
from tests.runtime_deploy.world import Host

LONG = 500.0
"""A window that no test waits for the end of."""
TO_THE_END = os.environ.get("EMILY_RUNTIME_DEPLOYS") == "all"
"""Whether to switch as often as a release asks for, and to cut off at every single command."""
USUAL = Limits()


def deploy(
    host: Host, window: float = 2.0, limits: Limits = USUAL, **then: Callable[[], object]
) -> Record:
    """What the host does with an order to deploy; after some looks, something happens."""
    looks = Looks(then={int(at.removeprefix("after_")): what for at, what in then.items()})
    return Switch(host.colours, looks, limits).carry_out(Order(window=window))


def rollback(host: Host) -> Record:
    """What the host does with an order to go back."""
    return Switch(host.colours, Looks()).carry_out(Order(kind=Kind.ROLLBACK))
