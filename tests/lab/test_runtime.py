"""The cognitive runtime under a real systemd: the units as rendered, called from outside."""

import json

import pytest

from tests.lab.rehearsal import Rehearsal
from tests.lab.thinking import Thinking

pytestmark = [pytest.mark.lab, pytest.mark.rehearsal]

PINNED = "/var/lib/emily-colours/blue.toml"
FLAG = '\\n[flags.brighter]\\nshare = 25\\nowner = "colter"\\nsince = "2026-11-22"\\n'
# As root in the service's view of the machine: what is read-only there is so for everybody.
SANDBOX = """
pid=$(systemctl show -P MainPID emily-runtime@blue)
group=/sys/fs/cgroup$(systemctl show -P ControlGroup emily-runtime@blue)
for folder in /etc /usr /nix/store /srv/work /var/lib/emily-colours /var/lib/emily-runtime; do
  nsenter -t $pid -m touch $folder/mark 2>/dev/null && echo "writes $folder" || :
done
rm -f /var/lib/private/emily-runtime/mark
cat $group/memory.high $group/memory.max
grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/$pid/status | tr -d '\\t'
"""
CREDENTIAL = """
pid=$(systemctl show -P MainPID emily-runtime@blue)
uid=$(stat -c %u /proc/$pid)
file=/run/credentials/emily-runtime@blue.service/token
as() { nsenter -t $pid -m setpriv --reuid $1 --clear-groups --inh-caps=-all cat $2 2>/dev/null; }
[ "$(as $uid $file)" = "$(cat /run/secrets/runtime-token)" ] && echo its own
as 65534 $file && echo everybody else
as $uid /run/secrets/runtime-token && echo the secret itself || :
"""
BOTH_HOLD_IT = """
for colour in blue green; do
  pid=$(systemctl show -P MainPID emily-runtime@$colour)
  readlink /proc/$pid/fd/3
done
"""
KILLED = """
group=/sys/fs/cgroup$(systemctl show -P ControlGroup emily-runtime@blue)
grep -E '^oom(_kill)? ' $group/memory.events
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
    found = mind.show("emily-runtime@blue", "Type", "ActiveState", "StatusText", "NRestarts")

    assert found["Type"] == "notify-reload"
    assert found["ActiveState"] == "active"
    assert "10.20.0.2:8470" in found["StatusText"]
    assert found["NRestarts"] == "0"


def test_whoever_calls_is_asked_for_the_token(mind: Thinking) -> None:
    known, said = mind.call("/api/v1/status")
    unknown, refused = mind.call("/api/v1/status", token="a guess")
    health, _ = mind.call("/health", token="")

    assert (known, unknown, health) == (200, 401, 200), (said, refused)


def test_it_writes_to_its_own_folder_within_its_own_memory_and_gains_nothing(
    mind: Thinking,
) -> None:
    said = mind.console(SANDBOX).splitlines()

    assert said == [
        "writes /var/lib/emily-runtime",
        str(384 << 20),
        str(512 << 20),
        "CapEff:0000000000000000",
        "NoNewPrivs:1",
        "Seccomp:2",
    ]


def test_the_token_is_read_by_the_service_and_by_nobody_beside_it(mind: Thinking) -> None:
    said = mind.console(CREDENTIAL)

    assert said == "its own\n"


def test_a_flag_is_changed_by_a_reload_and_nothing_restarts(mind: Thinking) -> None:
    before = mind.main("blue")

    mind.console(f"printf '{FLAG}' >>{PINNED}; systemctl reload emily-runtime@blue")

    code, said = mind.operator("flags", "--json")
    assert code == 0, said
    (flag,) = json.loads(said)
    assert (flag["name"], flag["share"], flag["owner"]) == ("brighter", 25, "colter")
    assert mind.main("blue") == before


def test_settings_that_make_no_sense_are_refused_by_a_reload_and_it_goes_on(
    mind: Thinking,
) -> None:
    mind.console(f"cp {PINNED} /run/kept; echo 'nonsense = [' >>{PINNED}")

    mind.console(f"systemctl reload emily-runtime@blue; mv /run/kept {PINNED}")

    assert PINNED in mind.show("emily-runtime@blue", "StatusText")["StatusText"]
    assert mind.call("/api/v1/status")[0] == 200


def test_another_version_is_applied_beside_the_one_that_runs(mind: Thinking) -> None:
    before = mind.main("blue")

    mind.apply("ko")

    code, said = mind.operator("status")
    assert code == 0, said
    assert "another version lies ready" in said
    assert mind.main("blue") == before


def test_a_deploy_moves_the_callers_and_none_of_them_notices(mind: Thinking) -> None:
    with mind.callers() as replies:
        code, said = mind.operator("deploy", "--window", "5s")

    assert code == 0, said
    assert "green takes" in said
    assert list(replies) == ["200"], replies
    assert replies["200"] > 50
    assert mind.control("green")["taking"]
    assert mind.show("emily-runtime@blue", "ActiveState")["ActiveState"] == "inactive"


def test_the_journal_of_both_colours_is_at_hand(mind: Thinking) -> None:
    code, said = mind.operator("logs", "--lines", "200")

    assert code == 0, said
    assert "green takes; watches it" in said


def test_after_a_reboot_the_colour_that_took_takes_again(mind: Thinking) -> None:
    mind.deployed("green")
    boot = mind.stage.boot_id()

    mind.console("systemctl reboot --no-block")

    mind.stage.wait_for_another_boot(boot)
    mind.stage.wait_for_the_way_in()
    mind.wait("green")
    assert mind.control("green")["taking"]
    assert mind.show("emily-runtime@blue", "ActiveState")["ActiveState"] == "inactive"
    assert mind.call("/api/v1/status")[0] == 200


def test_a_rollback_starts_the_old_version_and_moves_the_callers_back(mind: Thinking) -> None:
    mind.deployed("green")

    with mind.callers() as replies:
        code, said = mind.operator("rollback")

    assert code == 0, said
    assert "blue takes again" in said
    assert list(replies) == ["200"], replies
    assert mind.control("blue")["taking"]


def test_both_colours_have_the_one_port_and_only_one_of_them_takes(mind: Thinking) -> None:
    mind.deployed("blue")

    mind.console("systemctl start emily-runtime@green")

    one, other = mind.console(BOTH_HOLD_IT).split()
    assert one == other
    assert one.startswith("socket:")
    assert mind.control("blue")["taking"]
    assert not mind.control("green")["taking"]
    mind.console("systemctl stop emily-runtime@green")


def test_an_instance_that_is_stuck_is_ended_and_started_again(mind: Thinking) -> None:
    mind.deployed("blue")
    before = mind.main("blue")

    mind.console(f"kill -STOP {before}")
    mind.stage.wait_for(f"[ $(systemctl show -P MainPID emily-runtime@blue) != {before} ]")
    mind.wait("blue")

    found = mind.show("emily-runtime@blue", "NRestarts", "ActiveState")
    assert found == {"NRestarts": "1", "ActiveState": "active"}
    assert "Watchdog timeout" in mind.console("journalctl -u emily-runtime@blue -o cat -n 200")
    assert mind.call("/api/v1/status")[0] == 200


def test_ten_times_what_it_can_do_is_sent_away_politely_and_it_lives(mind: Thinking) -> None:
    mind.deployed("blue")
    before = mind.main("blue")

    replies = mind.flood(seconds=60, connections=200)

    assert set(replies) == {"200", "503 with Retry-After"}, replies
    assert replies["503 with Retry-After"] > replies["200"] > 0
    assert mind.main("blue") == before
    assert mind.console(KILLED) == "oom 0\noom_kill 0\n"
    assert mind.call("/api/v1/status")[0] == 200
