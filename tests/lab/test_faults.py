"""What fails under a pool of a real machine, and what our commands and alerts say of it meanwhile.

The order counts: the tests share one pool, and each leaves it as the next one finds it.
"""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.probing import felled, grown, look_at
from emily_infra.machine import connect
from emily_infra.observe.pools import standstill
from tests.lab.ground import Ground
from tests.render.test_monitoring import RULES

pytestmark = [pytest.mark.lab, pytest.mark.rehearsal]

DONE, ERROR = 0, 1
DEADLINE = 300
"""Seconds for a command about a pool that hangs: those of the probe, on an emulated processor."""
DATASETS, SNAPSHOTS = 20, 1000
"""What is counted does not depend on how many: `python -m benchmarks probe` takes more of them."""
# A writer that goes on whatever happens: a file, flushed, then its sum in memory, then its name.
WRITING = """
mkdir -p /srv/work/new /srv/work/whole; : >/run/sums; touch /run/writing
cat >/run/writer <<'END'
number=0
while [ -e /run/writing ]; do
  number=$((number + 1))
  file=/srv/work/new/$number
  head -c 524288 /dev/urandom >$file && sync $file || echo "$number failed" >>/run/sums
  sha256sum <$file | sed "s|-|/srv/work/whole/$number|" >>/run/sums
  mv $file /srv/work/whole/
  sleep 0.5
done
END
systemd-run --quiet --unit=writer sh /run/writer
until [ "$(wc -l </run/sums)" -gt 3 ]; do sleep 0.2; done
"""
EXPORTED = """
prometheus-node-exporter --web.listen-address=127.0.0.1:9100 --collector.disable-defaults \\
  --collector.zfs >/dev/null 2>&1 &
until curl -sf 127.0.0.1:9100/metrics; do sleep 0.2; done
kill $!
"""


@pytest.fixture(scope="module")
def ground(disks: Ground) -> Ground:
    disks.empty()
    code, said = disks.create()
    assert code == DONE, said
    return disks


def written(ground: Ground) -> int:
    """How many files the writer has finished."""
    return len(ground.console("cat /run/sums").splitlines())


def alerts(ground: Ground, folder: Path) -> str:
    """What our rules say of the metrics that the host's own exporter gives."""
    found = re.findall(r"^(node_zfs_zpool_state\{.*\}) (\d)$", ground.console(EXPORTED), re.M)
    assert found
    test = {
        "input_series": [{"series": series, "values": value} for series, value in found],
        "external_labels": {"host": ground.name},
        "alert_rule_test": [{"eval_time": "0m", "alertname": "ZpoolNotOnline", "exp_alerts": []}],
    }
    text = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}
    (folder / "test.yml").write_text(json.dumps(text))
    done = subprocess.run(
        ["promtool", "test", "rules", "test.yml"], cwd=folder, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout


def test_two_disks_of_each_raidz2_fail_under_load_and_nothing_is_lost(
    ground: Ground, tmp_path: Path
) -> None:
    assert alerts(ground, tmp_path) == ""
    ground.console(WRITING)
    ground.pull("disk-1", "disk-2", "disk-5", "disk-6")
    before = written(ground)

    _, status = ground.emily("status", ground.name)
    code, listed = ground.emily("disk", "list", ground.name)
    refused, why = ground.offline("disk-3")

    assert code == ERROR
    rows = {line.split()[1]: line.split() for line in listed.splitlines() if line}
    for number in (1, 2, 5, 6):
        assert f"disk-{number} (bay {number}) in pool tank is" in status
        assert {"MISSING", str(number)} <= set(rows[f"disk-{number}"])
    assert {rows[f"disk-{number}"][-1] for number in (3, 4, 7, 8)} == {"0"}
    assert refused == ERROR
    assert "of 2 disks that it may lose 0 remain" in why
    ground.console("until grep -q DEGRADED /proc/spl/kstat/zfs/tank/state; do sleep 1; done")
    assert f"{ground.name}: pool tank is DEGRADED; emily-infra disk list" in alerts(
        ground, tmp_path
    )
    ground.console("rm /run/writing; while systemctl -q is-active writer; do sleep 0.2; done")
    assert written(ground) > before  # it never had to stop
    sums = ground.console("cat /run/sums; sha256sum --quiet --check /run/sums")
    assert "failed" not in sums.lower()


def test_what_failed_is_replaced_or_comes_back_and_every_byte_is_there(ground: Ground) -> None:
    code, said = ground.replace("disk-1", "new-1")
    ground.push()
    ground.console("zpool online tank disk-2 disk-5 disk-6; zpool wait -t resilver tank")

    assert code == DONE, said
    assert ground.host.spec.storage.pools["tank"].data[0].disks[0] == "new-1"
    assert set(ground.states().values()) == {"ONLINE"}
    ground.console("zpool scrub -w tank")
    assert "with 0 errors" in ground.console("zpool status tank")
    ground.console("sha256sum --quiet --check /run/sums")


def test_half_of_the_special_mirror_is_lost_and_replaced(ground: Ground) -> None:
    ground.pull("disk-9")
    ground.console("zpool sync tank; sleep 1")

    _, status = ground.emily("status", ground.name)
    refused, why = ground.offline("disk-10")
    code, said = ground.replace("disk-9", "new-3")

    assert "disk-9-part2 (bay 9) in pool tank is" in status
    assert refused == ERROR
    assert "of the one disk that it may lose 0 remain" in why
    assert code == DONE, said
    states = ground.states()
    assert states["new-3-part2"] == states["disk-10-part2"] == "ONLINE"
    assert "8589934592" in ground.console("lsblk -bno SIZE /dev/disk/by-id/new-3-part1")


def test_one_probe_of_many_snapshots_is_one_command_and_no_longer(ground: Ground) -> None:
    machine = connect(ground.stage.lab.console(), deadline=60)
    try:
        grown(machine, "tank", DATASETS, snapshots=0)
        few = look_at(machine)
        grown(machine, "tank", DATASETS, SNAPSHOTS)
        many = look_at(machine)
        felled(machine, "tank")
    finally:
        machine.close()

    ground.tell(f"{few}\n{many}")
    assert many.commands == few.commands == 1
    assert many.datasets == few.datasets > DATASETS
    assert many.snapshots == SNAPSHOTS
    assert many.length < few.length * 1.25


def test_a_pool_that_is_suspended_holds_up_no_command_and_comes_back(
    ground: Ground, tmp_path: Path
) -> None:
    ground.render()
    ground.console("sha256sum /srv/work/whole/* >/run/before")
    ground.pull("disk-3", "disk-4", "disk-2")
    ground.console("(echo more >/srv/work/late; sync) >/dev/null 2>&1 </dev/null &")
    _until_it_stands_still(ground)

    told = {
        words[0:2]: ground.emily(*words, within=DEADLINE)
        for words in (
            ("status", ground.name), ("plan", ground.name),
            ("storage", "create", ground.name, "tank", "--confirm", "tank"),
            ("disk", "list", ground.name),
            ("disk", "offline", ground.name, "disk-6", "--confirm", "disk-6"),
            ("disk", "replace", ground.name, "disk-3", "new-2", "--confirm", "new-2"),
        )
    }  # fmt: skip

    for words, (code, said) in told.items():
        assert code, (words, said)
        assert "pool tank " in said or words == ("disk", "list"), (words, said)
    alert = alerts(ground, tmp_path)
    ground.push()
    ground.console("zpool clear tank; zpool online tank disk-2 disk-3 disk-4; "
                   "zpool wait -t resilver tank")  # fmt: skip
    assert re.search("pool tank is (SUSPENDED|UNAVAIL)", alert), alert
    assert set(ground.states().values()) == {"ONLINE"}
    ground.console("sha256sum --quiet --check /run/before; cat /srv/work/late; zpool scrub -w tank")
    assert "with 0 errors" in ground.console("zpool status tank")


def _until_it_stands_still(ground: Ground) -> None:
    """By the kernel's word, or by the history of what was written, whichever comes first."""
    end = time.monotonic() + DEADLINE
    while not (pool := ground.seen().pool("tank")) or not (why := standstill(pool)):
        assert time.monotonic() < end, pool
        time.sleep(2)
    ground.tell(why)
