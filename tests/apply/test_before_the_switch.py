"""Before a host switches, it takes a snapshot of its data by itself."""

import pytest

from tests.apply.drill import Drill

_BACKUPS = """\
cp -a /etc /run/etc && mkdir -p /run/etc/emily && : >/run/etc/emily/host.json
mount --bind /run/etc /etc
bin=$(readlink -f /run/booted-system)/sw/bin
cp -a "$bin" /run/bin && cat >/run/bin/emily-infra && chmod +x /run/bin/emily-infra
mount --bind /run/bin "$bin"
"""


def with_backups(box: Drill, does: str) -> None:
    box.world.run("sh", "-ec", _BACKUPS, stdin=f'#!/bin/sh\necho "$*" >>/var/lib/asked\n{does}\n')


def asked(box: Drill) -> list[str]:
    file = box.world.root / "lib/asked"
    return file.read_text().splitlines() if file.exists() else []


def test_a_host_takes_a_snapshot_once_before_it_switches(box: Drill) -> None:
    with_backups(
        box, '[ "$(readlink -f /run/current-system)" = "$(readlink -f /run/booted-system)" ]'
    )

    outcome = box.deploy()

    assert outcome.verdict == "committed"
    assert asked(box) == ["backup snapshot --reason apply --wait 20"]
    assert "warning" not in box.world.words


def test_a_snapshot_that_fails_is_told_and_stops_no_deploy(box: Drill) -> None:
    with_backups(box, 'echo "error BKP011: pool tank is out of space" >&2; exit 1')

    outcome = box.deploy()

    assert outcome.verdict == "committed"
    said = [getattr(event, "text", "") for event in box.told]
    assert any("no snapshot was taken before the switch" in text for text in said)
    assert any("pool tank is out of space" in text for text in said)


@pytest.mark.parametrize("new", ["old"])
def test_where_nothing_is_switched_nothing_is_taken(box: Drill, new: str) -> None:
    with_backups(box, "exit 0")

    box.deploy(box.order(new))

    assert asked(box) == []


def test_a_host_without_backups_switches_as_ever(box: Drill) -> None:
    assert box.deploy().verdict == "committed"
    assert "warning" not in box.world.words
