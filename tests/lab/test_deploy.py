"""A real machine under a real deploy, and everything that can come in between.

Each ends with the old generation healthy or the new one, never between, and with a record of it.
"""

import pytest

from tests.lab.rehearsal import Rehearsal

pytestmark = pytest.mark.lab

COMMITTED, ERROR, ROLLED_BACK, STALE, LOCKED, OUT_OF_REACH = 0, 1, 3, 6, 7, 8
SERVICE = """
systemd.services.novelty = {{
  wantedBy = [ "multi-user.target" ];
  serviceConfig = {{ {0} }};
}};
"""


def went_back(host: Rehearsal, why: str) -> bool:
    seen = host.ended()
    deploy = seen.deploys.last
    assert deploy
    assert deploy.verdict == "rolled-back"
    assert why in deploy.why
    return host.is_wholly(host.old, seen)


def is_new(host: Rehearsal) -> bool:
    seen = host.ended()
    deploy = seen.deploys.last
    assert deploy
    assert deploy.verdict == "committed", deploy
    assert deploy.new != host.old
    return host.is_wholly(deploy.new, seen)


# --- nothing comes in between


def test_the_same_closure_twice_is_nothing_to_do(host: Rehearsal) -> None:
    once = host.apply()
    assert once.process.returncode == COMMITTED, once.said
    new = host.last().new
    deploys = len(host.seen().deploys.records)

    again = host.apply()

    assert again.process.returncode == COMMITTED, again.said
    assert "it runs what host.yaml describes" in again.said
    assert len(host.seen().deploys.records) == deploys
    assert host.is_wholly(new)


def test_a_change_is_planned_applied_and_rolled_back(host: Rehearsal) -> None:
    host.describe("samba: { workgroup: ELSEWHERE }")
    planned = host.start("plan")
    assert planned.end() == 2, planned.said
    assert "samba.workgroup" in planned.said

    done = host.apply()

    assert done.process.returncode == COMMITTED, done.said
    assert is_new(host)
    assert "workgroup=ELSEWHERE" in host.console("cat /etc/samba/smb.conf")
    back = host.start("rollback", "--yes")
    assert back.end() == COMMITTED, back.said
    assert host.is_wholly(host.old)


# --- the operator's side fails


@pytest.mark.rehearsal
def test_an_operator_who_dies_while_copying_leaves_the_host_as_it_was(host: Rehearsal) -> None:
    host.describe()
    first = host.start("apply", "--yes")
    first.until(": copy")
    first.kill()

    second = host.apply()

    assert second.process.returncode == LOCKED, second.said
    assert "locked: root is deploying to it" in second.said
    assert host.last().verdict == "abandoned"
    assert host.is_wholly(host.old)


@pytest.mark.rehearsal
def test_an_operator_who_dies_while_it_switches_is_waited_for_and_then_it_goes_back(
    host: Rehearsal,
) -> None:
    host.describe()
    running = host.start("apply", "--yes")
    running.until(": activate")
    running.kill()

    assert went_back(host, "nobody confirmed")


@pytest.mark.rehearsal
def test_an_operator_who_dies_after_the_word_changes_nothing(host: Rehearsal) -> None:
    host.describe()
    running = host.start("apply", "--yes")
    running.until(": commit")
    host.wait_for_event("confirmed")
    running.kill()

    assert is_new(host)


# --- the network fails


def test_a_network_that_is_cut_before_leaves_everything_as_it_was(host: Rehearsal) -> None:
    host.describe()
    host.cut()

    done = host.apply()

    host.mend()
    assert done.process.returncode == OUT_OF_REACH, done.said
    assert host.is_wholly(host.old)


@pytest.mark.rehearsal
def test_a_cut_while_it_switches_a_clock_that_jumps_and_an_old_failure_do_not_matter(
    host: Rehearsal,
) -> None:
    host.console("systemd-run --unit=weary false; sleep 2")
    host.describe()
    running = host.start("apply", "--yes")
    running.until(": activate")

    host.cut()
    host.console("date --set='+1 day'")
    host.wait_for_event("activated")
    host.mend()

    code = running.end()
    host.console("date --set='-1 day'; systemctl reset-failed")
    assert code == COMMITTED, running.said
    assert is_new(host)


@pytest.mark.parametrize(
    "deed",
    [pytest.param("systemctl stop sshd.service", marks=pytest.mark.rehearsal),
     pytest.param("ip link set lan down", marks=pytest.mark.rehearsal),
     "nft insert rule inet emily input tcp dport 22 drop"],
    ids=["stops-sshd", "takes-the-network-down", "locks-the-operator-out"],
)  # fmt: skip
def test_a_configuration_that_cuts_the_way_in_is_undone(host: Rehearsal, deed: str) -> None:
    host.describe(hardware=_once(deed))

    done = host.apply()

    assert done.process.returncode == ROLLED_BACK, done.said
    assert went_back(host, "")


# --- the power fails


def test_a_power_cut_before_the_word_boots_the_old_generation(host: Rehearsal) -> None:
    host.describe()
    running = host.start("apply", "--yes")
    running.until(": verify")
    running.kill()

    host.lab.power_cut()
    host.lab.start()

    assert went_back(host, "")


@pytest.mark.rehearsal
def test_a_reboot_before_the_word_boots_the_old_generation(host: Rehearsal) -> None:
    host.describe()
    running = host.start("apply", "--yes")
    running.until(": verify")
    before = host.boot_id()

    host.console("systemctl reboot --no-block")

    host.wait_for_another_boot(before)
    assert running.end() == ROLLED_BACK, running.said
    assert went_back(host, "")


@pytest.mark.rehearsal
def test_a_power_cut_between_the_profile_and_the_boot_entry_is_made_good(host: Rehearsal) -> None:
    profile = "/nix/var/nix/profiles/system"
    host.describe()
    before = host.boot_id()
    host.console(
        f'was=$(readlink {profile}); setsid sh -c \'while [ "$(readlink {profile})" = $0 ]; do '
        "sleep 0.02; done; echo b >/proc/sysrq-trigger' $was </dev/null >/dev/null 2>&1 &"
    )

    running = host.start("apply", "--yes")

    host.wait_for_another_boot(before)
    running.end()
    verdict = host.last().verdict
    assert is_new(host) if verdict == "committed" else went_back(host, "")


# --- the disks are full


@pytest.mark.rehearsal
def test_a_full_boot_partition_means_that_the_old_generation_stays(host: Rehearsal) -> None:
    host.console("dd if=/dev/zero of=/boot/ballast bs=64k 2>/dev/null; sync; df /boot >&2")
    host.describe()

    done = host.apply()

    host.console("rm /boot/ballast")
    assert done.process.returncode in (ERROR, ROLLED_BACK), done.said
    assert "boot" in done.said
    assert host.is_wholly(host.old)


def test_a_full_store_means_that_nothing_begins(host: Rehearsal) -> None:
    host.console(
        "fallocate -l $(($(df --output=avail -B1 / | tail -n 1) - 1048576)) /nix/ballast; "
        "dd if=/dev/zero of=/nix/ballast.2 bs=4k 2>/dev/null; df / >&2"
    )
    host.describe()

    done = host.apply()

    host.console("rm /nix/ballast /nix/ballast.2")
    assert done.process.returncode == ERROR, done.said
    assert host.is_wholly(host.old)


# --- the new generation is ill


NOT_STARTED_ANEW = """
deploy:
  checks:
    steady:
      command: [sh, -c, test $(systemctl show -P NRestarts novelty) = 0]
      grace: 10s
      interval: 1s
      deadline: 15s
"""
NEVER = "deploy: { checks: { never: { command: [test, -e, /nowhere], deadline: 10s } } }"


@pytest.mark.rehearsal
@pytest.mark.parametrize(
    ("part", "service", "why"),
    [
        ("", 'ExecStart = "${pkgs.coreutils}/bin/false";', "novelty.service"),
        (NOT_STARTED_ANEW, 'ExecStart = "${pkgs.coreutils}/bin/sleep 4"; Restart = "always"; '
                           "RestartSec = 1;", "steady"),
        (NEVER, 'ExecStart = "${pkgs.coreutils}/bin/sleep infinity";', "never"),
    ],
    ids=["a-unit-fails", "a-unit-flaps", "a-check-never-passes"],
)  # fmt: skip
def test_an_ill_generation_is_undone(host: Rehearsal, part: str, service: str, why: str) -> None:
    host.describe(part, SERVICE.format(service))

    done = host.apply()

    assert done.process.returncode == ROLLED_BACK, done.said
    assert went_back(host, why)


def _once(deed: str) -> str:
    script = f"PATH=/run/current-system/sw/bin:/usr/sbin:/usr/bin; {deed}"
    return SERVICE.format(
        'Type = "oneshot"; RemainAfterExit = true; '
        f"ExecStart = \"${{pkgs.bash}}/bin/bash -c '{script}'\";"
    )
