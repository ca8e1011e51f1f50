"""Accounts of people against the admins and the users of shares."""

from collections.abc import Iterator

from emily_infra.observe.drift.difference import Difference, apply
from emily_infra.observe.observation import Observation
from emily_infra.spec.host import Host

AREA = "people"
_FIRST, _LAST = 1000, 29_999
"""The uids that NixOS gives to people; builders and dynamic users stand above."""


def differences(host: Host, seen: Observation) -> Iterator[Difference]:
    """Accounts that host.yaml does not know, and admins without one."""
    spec = host.spec
    if not seen.people:
        return
    known = {*spec.system.admins, spec.deploy.user, *(spec.samba.users if spec.samba else ())}
    found = {person.name for person in seen.people}
    for person in seen.people:
        if _FIRST <= person.uid <= _LAST and person.name not in known:
            shown = f"uid {person.uid}, {person.shell}"
            yield Difference(AREA, person.name, "no account", shown, apply(host.name))
    for name in sorted(spec.system.admins.keys() - found):
        yield Difference(AREA, name, "an admin's account", "no account", apply(host.name))
