"""Memory is added up before the kernel has to."""

import pytest

from tests.hosts import codes, findings, over, pebble, shipped


def memory(total: str, arc: str, tmpfs: str = "2GiB") -> str:
    return f"system: {{ memory: {{ total: {total}, arc: {arc}, tmpfs: {tmpfs} }} }}"


@pytest.mark.parametrize(
    ("arc", "expected"),
    [("12GiB", {"SYS003"}), ("12884901889B", {"SYS002"}), ("10GiB", set())],
    ids=["to the last byte", "one byte too many", "with room to spare"],
)
def test_promises_are_held_against_the_ram(arc: str, expected: set[str]) -> None:
    host = pebble(memory("16GiB", arc))

    found = codes(host) & {"SYS002", "SYS003"}

    assert found == expected


def test_on_a_small_machine_two_gib_stay_free() -> None:
    host = pebble(memory("8GiB", "2.5GiB"))

    assert "SYS003" in codes(host)


def test_on_a_large_machine_an_eighth_stays_free() -> None:
    host = over(shipped("ember"), "system: { memory: { arc: 105GiB } }")

    assert "SYS003" in codes(host)


def test_the_runtime_is_counted_where_there_is_one() -> None:
    host = over(shipped("ember"), "runtime: { memory: 85GiB }")

    message = next(f.message for f in findings(host) if f.code == "SYS002")

    assert "85 GiB for the runtime" in message


def test_a_sum_that_is_too_large_is_shown_with_its_parts() -> None:
    host = pebble(memory("16GiB", "13GiB"))

    message = next(f.message for f in findings(host) if f.code == "SYS002")

    assert message == (
        "13 GiB for the ZFS cache + 2 GiB for files in /tmp + 2 GiB for the system is 17 GiB, "
        "1 GiB more than the 16 GiB installed"
    )


def test_zswap_is_content_with_a_swap_partition() -> None:
    assert "SYS004" not in codes(shipped("ember"))
