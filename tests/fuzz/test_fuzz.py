"""A few hundred hostile files in a process of limited means; `python -m tests.fuzz` tries more."""

import subprocess
import sys

import pytest

from tests.fuzz.bombs import BOMBS
from tests.fuzz.mutate import case
from tests.fuzz.run import MEBIBYTES, SECONDS, run
from tests.hosts import ROOT


def test_hundreds_of_wrong_files_end_in_findings_or_modules() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--cases", "400"]

    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT
    )

    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]
    assert "0 broken" in done.stdout


def test_a_bomb_is_refused_in_time_and_space() -> None:
    outcome = run(BOMBS["a bomb of mappings"]())

    assert [finding.code for finding in outcome.findings] == ["YML006"]
    assert outcome.seconds < SECONDS
    assert outcome.mebibytes < MEBIBYTES


@pytest.mark.parametrize("number", range(5))
def test_a_case_is_the_same_every_time(number: int) -> None:
    assert case(8425, number) == case(8425, number)
    assert case(8425, number) != case(8426, number)


def test_the_fuzzer_sees_far_more_than_the_parser() -> None:
    stages = [run(case(8425, number).raw).stage for number in range(60)]

    assert stages.count("refused") < 50
    assert stages.count("rendered") > 5
