"""restic's exit codes."""

import pytest

from emily_infra.backup.restic.outcome import Done, fault, shown

MEANING = {
    1: ("BKP035", 1, "exit status 1"),
    2: ("BKP035", 1, "exit status 2"),
    3: ("BKP035", 1, "exit status 3"),
    10: ("BKP031", 1, "there is none"),
    11: ("BKP032", 7, "is locked"),
    12: ("BKP033", 1, "does not open with this password"),
    99: ("BKP035", 1, "exit status 99"),
    130: ("BKP035", 1, "was stopped"),
    137: ("BKP035", 1, "exit status 137"),
    -9: ("BKP035", 1, "signal 9"),
}


@pytest.mark.parametrize("status", MEANING)
def test_each_exit_code_has_a_meaning(status: int) -> None:
    error = fault("shed", "/mnt/shed", Done(status, ("Fatal: such and such",)))

    code, exit_code, words = MEANING[status]
    assert (error.code, error.exit_code) == (code, exit_code)
    assert words in str(error)
    assert "repository shed (/mnt/shed)" in str(error)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("write x: no space left on device", "is full"),
        ("dial tcp 10.0.0.1:8000: connect: connection refused", "does not answer"),
        ("lookup nosuch.invalid: no such host", "does not answer"),
        ("x509: certificate has expired", "certificate"),
        ("server response unexpected: 403 Forbidden (403)", "forbids"),
        ("something else", "restic's own"),
    ],
)
def test_the_hint_goes_by_what_restic_said(said: str, hint: str) -> None:
    assert hint in fault("shed", "/mnt/shed", Done(1, (said,))).hint


def test_a_password_in_an_address_is_not_shown() -> None:
    url = "rest:https://box:hunter2@backup.example.org/box/"

    assert shown(url) == "rest:https://***@backup.example.org/box/"
    assert "hunter2" not in str(fault("shed", url, Done(1, (f"Fatal: {url}",))))
