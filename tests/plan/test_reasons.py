"""Why a unit restarts: down to the line of host.yaml."""

from dataclasses import replace

from emily_infra.machine import Local
from emily_infra.observe.units import Unit, Units
from emily_infra.plan import Means, Plan, by_nix, plan
from emily_infra.plan.reasons import HAD_FAILED, OTHER_BUILD
from emily_infra.spec.host import Host
from tests.hosts import pebble
from tests.plan.machines import TEMPLATES, built, running

SSHD = "[Service]\nExecStart=/nix/store/{}-openssh-10.0p2/bin/sshd -f {}\n"


def planned(old: Host, new: Host, before: dict[str, str], after: dict[str, str]) -> Plan:
    units = Units(tuple(Unit(n, "loaded", "active", "running") for n in before), files=before)
    seen = replace(running(old), units=units)
    means = Means(evaluate=by_nix(Local()), templates=TEMPLATES)
    return plan(new, built(new, units=after), seen, means)


def test_sshd_restarts_because_of_its_port() -> None:
    before = {"sshd.service": SSHD.format("a" * 32, "one")}
    after = {"sshd.service": SSHD.format("a" * 32, "two")}

    made = planned(pebble(), pebble("system: { ssh: { port: 2222 } }"), before, after)

    assert made.units[0].why == ("system.ssh.port",)


def test_a_unit_restarts_because_its_program_was_built_anew() -> None:
    before = {"sshd.service": SSHD.format("a" * 32, "one")}
    after = {"sshd.service": SSHD.format("b" * 32, "one")}

    made = planned(pebble(), pebble(), before, after)

    assert made.units[0].why == (OTHER_BUILD,)


def test_a_unit_starts_because_it_had_failed() -> None:
    files = {"a.service": "[Service]\nExecStart=/bin/a\n"}
    units = Units((Unit("a.service", "loaded", "failed", "failed"),), files=files)

    made = plan(pebble(), built(pebble(), units=files), replace(running(pebble()), units=units))

    assert made.units[0].why == (HAD_FAILED,)


def test_a_unit_that_nothing_explains_has_no_reason() -> None:
    made = planned(pebble(), pebble(), {"a.service": "[Service]\nA=1\n"},
                   {"a.service": "[Service]\nA=2\n"})  # fmt: skip

    assert made.units[0].why == ()
