"""The pools that the benchmark creates, and how it reads what ZFS says of them."""

import subprocess

import pytest

from benchmarks.capacity import POOL, WRITTEN, as_table, empty, filled
from benchmarks.pools import CASES, FILLED, GB, TB, Case
from emily_infra.zfs.geometry import GIB, Draid, Raidz


class Recorded:
    """A machine that says what ZFS would: of pools of no bytes, or of random data."""

    name = "recorded"

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.program = ""

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        assert argv[-1] == "sh"
        assert deadline > 60
        self.program = stdin
        return self.answer

    def close(self) -> None:
        pass


def test_the_list_has_what_a_forecast_can_get_wrong() -> None:
    raidz = [case.layout for case in CASES if isinstance(case.layout, Raidz)]

    assert len(set(CASES)) == len(CASES) >= 40
    assert {layout.parity for layout in raidz} == {1, 2, 3}
    assert {layout.width for layout in raidz} >= set(range(3, 15))
    assert {case.layout.ashift for case in CASES} >= {9, 12, 13}
    assert (min(case.disk for case in CASES), max(case.disk for case in CASES)) == (GIB, 20 * TB)
    assert any(isinstance(case.layout, Draid) for case in CASES)
    assert any(case.special for case in CASES)


def test_the_list_is_short_enough_for_an_emulated_processor() -> None:
    # 2 ms each: 9,778 of them took 20 s.
    metaslabs = [sum(sum(top.metaslabs.values()) for top in case.forecast.tops) for case in CASES]

    assert sum(metaslabs) < 17_000


@pytest.mark.parametrize("run", [empty, filled])
def test_the_program_is_one_that_a_shell_understands(run: object) -> None:
    machine = Recorded("")

    run(machine)  # type: ignore[operator]

    subprocess.run(["sh", "-n"], input=machine.program, text=True, check=True)
    assert machine.program.count("clear\n") >= len(FILLED)


def test_a_pool_is_created_as_its_case_says() -> None:
    machine = Recorded("")
    case = Case(Raidz(9, 3, 1), TB, count=2, special=64 * GB)

    empty(machine, [case])

    line = next(line for line in machine.program.splitlines() if line.startswith("create 0"))
    assert line.split() == [
        "create", "0", "-o", "ashift=9", POOL,
        "raidz1", '"$dir/0.disk"', '"$dir/1.disk"', '"$dir/2.disk"',
        "raidz1", '"$dir/3.disk"', '"$dir/4.disk"', '"$dir/5.disk"',
        "special", "mirror", '"$dir/s0.disk"', '"$dir/s1.disk"', "&&", "measure", "0",
    ]  # fmt: skip


def test_what_lies_on_special_is_not_counted_twice() -> None:
    case = Case(Raidz(12, 7, 2), TB, count=2, special=64 * GB)
    forecast = case.forecast
    answer = (
        f"vdev\t0\t{POOL}\t{forecast.size}\t900000\t-\t-\t-\t0\t0\t1.00\tONLINE\t-\n"
        "vdev\t0\t\traidz2-0\t1\t0\t1\t-\t-\t0\t0\t-\tONLINE\n"
        "vdev\t0\t\traidz2-1\t1\t0\t1\t-\t-\t0\t0\t-\tONLINE\n"
        "vdev\t0\tspecial\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\n"
        "vdev\t0\t\tmirror-2\t63887638528\t712704\t1\t-\t-\t0\t0\t-\tONLINE\n"
        f"space\t0\t700000\t{forecast.available - 700_000 + 712_704}\n"
    )

    found = empty(Recorded(answer), [case])

    assert found[0].exact
    assert any("1 of 1 pools to the byte" in line for line in as_table(found, []))


def test_a_pool_that_could_not_be_created_is_not_passed_over() -> None:
    found = empty(Recorded("failed\t1\tinvalid vdev specification\n"), CASES[:2])

    assert [each.exact for each in found] == [False, False]
    assert [each.trouble for each in found] == ["no answer", "invalid vdev specification"]


def test_used_is_held_against_the_records_that_were_written() -> None:
    record = 16 << 10
    records = FILLED[2].forecast.tops[0].charged(record) * (WRITTEN // record)
    used = records + WRITTEN * 58 // 10_000  # 5,400 to 6,200 millionths of metadata

    (found,) = filled(Recorded(f"filled\t2\t{record}\t{used + used // 100}\n"))

    assert found.case == FILLED[2]
    assert found.off == pytest.approx(0.01, abs=0.0001)
