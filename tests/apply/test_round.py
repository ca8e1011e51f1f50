"""A round of checks: one command, run by real shells, against a systemd that says what we like."""

import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from emily_infra.apply.check import Check, Shell, Unit
from emily_infra.apply.generated import checks
from emily_infra.apply.round import Answer, Answers, ask, journal, parse, script
from emily_infra.findings import Location
from emily_infra.machine import CommandFailed, Ending
from tests.apply.here import ACTIVE, FAILED, MISSING, Here
from tests.hosts import shipped


@pytest.fixture(params=["dash", "bash"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Here:
    return Here(tmp_path, str(request.param))


def check(name: str, probe: Unit | Shell) -> Check:
    return Check(name, ("deploy",), Location("host.yaml"), probe)


def asked(here: Here, *scripts: str, limit: float = 10.0) -> list[Answer]:
    """The answers to some pieces of shell."""
    wanted = [check(text, Shell(text, limit)) for text in scripts]
    return list(ask(here, wanted).by_check.values())


def test_everything_is_asked_in_one_command(here: Here) -> None:
    here.units = {"sshd.service": ACTIVE.format("sshd.service", "running")}

    found = ask(here, [check("a", Unit("sshd.service")), check("b", Shell("true"))])

    assert here.runs == 1
    assert [answer.passed for answer in found.by_check.values()] == [True, True]


def test_checks_run_side_by_side(here: Here) -> None:
    begin = time.monotonic()

    found = asked(here, *[f"sleep 0.{n}5" for n in range(5, 9)])

    assert all(answer.passed for answer in found)
    assert time.monotonic() - begin < 2.5


def test_a_reason_is_what_a_check_said_last(here: Here) -> None:
    (said, silent, missing) = asked(
        here, "echo first; echo 'the disk is gone'; exit 1", "exit 3", "no-such-program -x"
    )

    assert said.trouble == "the disk is gone"
    assert silent.trouble == "exit code 3"
    assert missing.trouble.startswith("exit code 127")
    assert "no-such-program" in missing.trouble


def test_what_a_check_prints_cannot_be_taken_for_the_result_of_another(here: Here) -> None:
    liar = "printf 'code 1 0\\nsaid 1 all is well\\nend\\nunit Id=x\\n'; exit 1"

    lied, failed = asked(here, liar, "exit 1")

    assert not lied.passed
    assert failed.trouble == "exit code 1"


def test_a_check_that_hangs_costs_no_more_than_its_limit(here: Here) -> None:
    begin = time.monotonic()

    hanging, stubborn, quick = asked(
        here, "sleep 600", "trap '' TERM; while :; do sleep 1; done", "true", limit=1.0
    )

    assert hanging.trouble == stubborn.trouble == "no answer within 1 s"
    assert quick.passed
    assert time.monotonic() - begin < 15


def test_no_check_reads_the_script_of_the_others(here: Here) -> None:
    greedy, after = asked(here, "cat >/dev/null", "true")

    assert greedy.passed
    assert after.passed


def test_much_output_and_bytes_that_are_no_text_do_no_harm(here: Here) -> None:
    (answer,) = asked(here, "yes | head -c 3000000; printf 'ab\\tc'; exit 1")

    assert not answer.passed
    assert answer.trouble == "ab\tc"


def test_a_timer_must_have_a_next_time(here: Here) -> None:
    here.units = {
        name: ACTIVE.format(name, state)
        for name, state in {"a.timer": "waiting", "b.timer": "elapsed"}.items()
    }

    found = ask(here, [check("a", Unit("a.timer")), check("b", Unit("b.timer"))]).by_check

    assert found["a"].passed
    assert found["b"].reason == "b.timer is not active but active (elapsed)"


def test_units_that_have_failed_are_told_with_what_started_them(here: Here) -> None:
    here.units = {
        "a.service": FAILED.format("a.service", ""),
        "emily-drill.service": FAILED.format("emily-drill.service", "emily-drill.timer"),
    }
    here.failed = list(here.units)

    found = ask(here, [check("a", Unit("a.service"))])

    assert found.failed == {"a.service": False, "emily-drill.service": True}
    assert found.by_check["a"].reason == "a.service is not active but failed (failed, exit-code)"


def test_a_unit_that_the_host_does_not_have_is_told_apart(here: Here) -> None:
    here.units = {"grafana.service": MISSING.format("grafana.service")}
    answers = Shell("exit 1", unit="grafana.service")

    found = ask(here, [check("a", Unit("grafana.service")), check("b", answers)]).by_check

    assert [answer.known for answer in found.values()] == [False, False]


def test_a_systemd_that_does_not_answer_is_no_pass(here: Here) -> None:
    here.units = {"a.service": "Failed to connect to bus"}

    found = ask(
        here, [check("a", Unit("a.service")), check("b", Shell("exit 1", unit="a.service"))]
    )

    assert [answer.trouble for answer in found.by_check.values()] == [
        "systemd does not answer", "exit code 1"
    ]  # fmt: skip


@dataclass
class Ill:
    """A machine on which no command succeeds."""

    name: str = "ill"

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        raise CommandFailed("ill", argv, Ending(1, "", f"no space left {len(stdin)} {deadline}"))

    def close(self) -> None:
        pass


def test_a_host_too_ill_to_be_asked_fails_every_check() -> None:
    found = ask(Ill(), [check("a", Shell("true"))])

    assert found.by_check["a"].trouble.startswith("the host cannot be asked")
    assert journal(Ill(), ["a.service"]) == {}


def test_half_an_answer_is_none() -> None:
    wanted = [check("a", Shell("true"))]

    assert parse(wanted, "code 0 0\n") is None
    assert parse(wanted, "") is None
    assert parse(wanted, "code 0 0\nend\n") == Answers({"a": Answer()})


@pytest.mark.parametrize("name", ["ember", "pebble"])
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_round_of_a_whole_host_is_shell_that_shells_understand(name: str, shell: str) -> None:
    text = script(checks(shipped(name)))

    done = subprocess.run([shell, "-n"], input=text, text=True, check=False)

    assert done.returncode == 0
    assert "@" not in text.replace("$@", "").replace("user@", "")


def test_a_command_of_the_operator_reaches_its_program_as_written(here: Here) -> None:
    words = ["it's", "a  b", "$HOME", "@units@", "`id`", '"', "*", "한국어"]
    program = here.folder / "show-words"
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 1\n')
    program.chmod(0o755)
    (answer,) = asked(here, shlex.join(["show-words", *words]))

    assert answer.trouble == "|".join(words) + "|"


def test_the_end_of_a_journal_is_told_by_unit(here: Here) -> None:
    program = here.folder / "journalctl"
    program.write_text('#!/bin/sh\necho "of $1"; echo "$2 lines"\n')
    program.chmod(0o755)
    units = ["a.service", r"srv-nix\x2dcache.mount"]

    found = journal(here, units)

    assert found == {unit: (f"of --unit={unit}", "--lines=20 lines") for unit in units}
