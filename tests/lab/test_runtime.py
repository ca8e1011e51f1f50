"""The cognitive runtime under a real systemd: the units as rendered, called from outside."""

import pytest

from tests.lab.rehearsal import Rehearsal
from tests.lab.thinking import Thinking

pytestmark = [pytest.mark.lab, pytest.mark.rehearsal]

CREDENTIAL = """
pid=$(systemctl show -P MainPID emily-runtime@blue)
uid=$(stat -c %u /proc/$pid)
file=/run/credentials/emily-runtime@blue.service/token
as() { nsenter -t $pid -m setpriv --reuid $1 --clear-groups --inh-caps=-all cat $2 2>/dev/null; }
[ "$(as $uid $file)" = "$(cat /run/secrets/runtime-token)" ] && echo its own
as 65534 $file && echo everybody else
as $uid /run/secrets/runtime-token && echo the secret itself || :
"""


@pytest.fixture(scope="module")
def mind(stage: Rehearsal) -> Thinking:
    """A host on which the runtime was applied, and nothing was done to it since."""
    if not stage.lab.running:
        stage.lab.start()
    stage.mend()
    stage.wait_for_the_way_in()
    made = Thinking(stage)
    made.apply()
    made.wait("blue")
    return made


def test_systemd_holds_the_service_for_ready_when_it_says_so(mind: Thinking) -> None:
    found = mind.show("emily-runtime@blue", "Type", "ActiveState")

    assert found == {"Type": "notify-reload", "ActiveState": "active"}


def test_whoever_calls_is_asked_for_the_token(mind: Thinking) -> None:
    known, said = mind.call("/api/v1/status")
    unknown, refused = mind.call("/api/v1/status", token="a guess")
    health, _ = mind.call("/health", token="")

    assert (known, unknown, health) == (200, 401, 200), (said, refused)


def test_the_token_is_read_by_the_service_and_by_nobody_beside_it(mind: Thinking) -> None:
    said = mind.console(CREDENTIAL)

    assert said == "its own\n"
