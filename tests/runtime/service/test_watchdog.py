"""When systemd is to start the service again, and when it is not."""

from pathlib import Path

from tests.runtime.service.served import Served, served

ALIVE = ["WATCHDOG=1"]


def signs(running: Served, many: int) -> list[list[str]]:
    """What systemd is told next."""
    assert running.systemd
    return [running.systemd.recv(4096).decode().split("\n") for _ in range(many)]


def test_a_mind_that_stands_still_gives_no_sign_of_life_though_the_service_answers(
    tmp_path: Path,
) -> None:
    with served(tmp_path, WATCHDOG_USEC="600000") as running:
        running.say("stands no cycle for 3.0 s")
        signs(running, 3)  # some may have been on their way
        silence = signs(running, 3)
        answered = running.ask("/api/v1/status").status
        running.say("stands")
        signs(running, 3)

        assert all("no cycle for 3.0 s" in line for (line,) in silence)
        assert answered == 200
        assert signs(running, 1) == [ALIVE]


def test_what_a_new_process_would_not_mend_is_no_reason_for_one(tmp_path: Path) -> None:
    with served(tmp_path, WATCHDOG_USEC="600000") as running:
        running.say("ill a part was given up")

        assert running.ask("/health").status == 503
        assert signs(running, 4) == [ALIVE] * 4
