"""Nights of a host that keeps backups, on real ZFS, by its own units; and what breaks into them."""

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.keeper import MOUNTED, PSQL, Keeper, made

pytestmark = pytest.mark.lab

DONE, FAILED, INCOMPLETE, DIFFERS, BUSY = 0, 1, 3, 4, 7
KILLS = int(os.environ.get("EMILY_KILLS", "4"))
POWER_CUTS = int(os.environ.get("EMILY_POWER_CUTS", "1"))
SEED = int(os.environ.get("EMILY_SEED", "5"))
NIGHT = ("emily-offsite-shelf", "emily-replicate-barn", "emily-verify-shelf", "emily-prune-shelf")
FILES = """
cd /srv/work; mkdir -p letters deep; printf one >letters/one; ln -f letters/one letters/same
head -c 3000000 /dev/urandom >letters/big
truncate -s 50M letters/sparse; printf end >>letters/sparse
printf x >"$(printf 'letters/not-\\377-utf8')"; chown 1234:4321 letters/one; chmod 2750 letters
python3 -c 'import os; os.setxattr("letters/one", "user.note", b"kept")'
printf deeper >deep/inside; printf kept >/srv/kept/one; touch -d @1000000000.123456789 letters/one
"""


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    """Its pools, a database that is written to, some files; its repository is there."""
    kept = made(Path(tmp_path_factory.mktemp("keeper")))
    kept.ledger()
    kept.console(FILES)
    code, said = kept.backup("init", "shelf")
    assert code == DONE, said
    yield kept
    kept.stage.lab.down()


# The order counts: each test leaves the host as the next one finds it.


def test_a_night_by_its_units(keeper: Keeper) -> None:
    ended = {unit: keeper.unit(unit) for unit in ("emily-snapshot", *NIGHT)}

    assert ended == dict.fromkeys(ended, "success")
    assert keeper.left_over() == ""
    labels = '{repository="shelf"}'
    assert keeper.metric("emily_backup_last_success_timestamp_seconds")[labels] > 0
    assert keeper.metric("emily_backup_incomplete")[labels] == 0
    assert len(keeper.data("status")["datasets"]) == 6


def test_what_was_sent_is_there_by_guid_and_nothing_of_it_is_mounted(keeper: Keeper) -> None:
    newest = keeper.snapshots("tank/work")[-1]

    guids = keeper.console(
        f"zfs get -Hpo value guid tank/work/deep@{newest} $(zfs list -Ho name -r barn/replicas"
        f" | grep 'work/deep$')@{newest}; zfs list -Ho mounted -r barn/replicas"
    ).split()

    assert guids[0] == guids[1]
    assert set(guids[2:]) == {"no"}


def test_a_second_night_reads_nothing_again(keeper: Keeper) -> None:
    keeper.console("printf two >/srv/work/letters/two")
    time.sleep(1)
    code, said = keeper.backup("snapshot", "--reason", "apply")
    assert code == DONE, said

    code, said = keeper.backup("offsite", "shelf", "--json")

    assert code == DONE, said
    before, newest = json.loads(keeper.restic("snapshots --json"))[-2:]
    differ = keeper.restic(f"diff {before['id']} {newest['id']}").splitlines()
    changed = [line.rpartition("/")[2] for line in differ if line.startswith("M")]
    assert newest["summary"]["files_changed"] == len(changed)
    # The timer's quarter of an hour may have passed, and with it a new dump come.
    assert set(changed) <= {"ledger.dump"}


def test_everything_of_a_file_comes_back_from_either_side(keeper: Keeper) -> None:
    keeper.console("rm -rf /root/back; mkdir /root/back; rm /srv/work/letters/one")
    newest = keeper.snapshots("tank/work")[-1]

    listed = keeper.backup("list", "/srv/work/letters/one")
    local = keeper.backup("restore", "/srv/work/letters", "--from", newest, "--to", "/root/back/l")
    copied = keeper.backup("restore", "/srv/work/letters", "--repository", "shelf",
                           "--to", "/root/back/r")  # fmt: skip

    assert listed[0] == DONE, listed
    assert "shelf" in listed[1]
    assert (local[0], copied[0]) == (DONE, DONE), local[1] + copied[1]
    for side in ("l", "r"):
        told = keeper.console(
            f"cd /root/back/{side}; stat -c '%u %g %h %y' one; stat -c %a .; ls | wc -l;"
            'python3 -c \'import os; print(os.getxattr("one", "user.note"))\';'
            "du -k sparse | cut -f1; cmp big /srv/work/letters/big && echo same"
        )
        owner, mode, count, note, blocks, same = told.splitlines()
        assert owner.startswith("1234 4321 2 2001-09-09 01:46:40.123456789")
        assert (mode, note, same) == ("2750", "b'kept'", "same")
        assert int(count) >= 5
        assert int(blocks) < 1000
    assert keeper.left_over() == ""


def test_a_drill_restores_and_signs_what_it_saw(keeper: Keeper) -> None:
    ended = keeper.unit("emily-drill")
    evidence = keeper.backup("evidence")

    assert ended == "success"
    assert evidence[0] == DONE, evidence[1]
    assert keeper.metric("emily_restore_test_success") == {'{repository="shelf"}': 1.0}
    assert keeper.left_over() == ""


@pytest.mark.rehearsal
def test_a_database_under_load_restores_and_answers(keeper: Keeper) -> None:
    keeper.console(
        "cat >/run/ledger/load.sh <<'END'\nwhile :; do " + PSQL +
        " 'insert into entries (amount) values (5), (-5)' >/dev/null; done\nEND\n"
        "systemd-run --quiet --unit load sh /run/ledger/load.sh"
    )  # fmt: skip
    time.sleep(5)
    dumped = keeper.unit("ledger-dump")  # as a snapshot has it run, when one is due
    taken = keeper.backup("snapshot", "--reason", "apply")
    copied = keeper.backup("offsite", "shelf")
    keeper.console("systemctl stop load")

    drilled = keeper.unit("emily-drill-full")

    assert (dumped, taken[0]) == ("success", DONE), taken[1]
    assert copied[0] == DONE, copied[1]
    assert drilled == "success"
    assert "check ledger: answers" in keeper.console("journalctl -qu emily-drill-full -o cat")
    assert int(keeper.console(f"{PSQL} 'select count(*) from entries'")) > 10
    assert keeper.left_over() == ""


@pytest.mark.rehearsal
def test_a_repository_is_browsed_as_a_folder(keeper: Keeper) -> None:
    command = "/run/current-system/sw/bin/emily-infra backup mount shelf /mnt/look"
    keeper.console(
        f"systemd-run --quiet --unit look --property KillSignal=SIGINT {command}\n"
        "for second in $(seq 120); do test -e /mnt/look/ids && break; sleep 1; done"
    )

    seen = keeper.console("cat /mnt/look/snapshots/latest/run/emily/snapshot/srv/kept/one")
    keeper.console("systemctl stop look")

    assert seen == "kept"
    assert keeper.console("ls /mnt; systemctl show -P Result look") == "success\n"
    assert keeper.left_over() == ""


@pytest.mark.rehearsal
def test_held_cloned_and_foreign_snapshots_outlive_every_policy(keeper: Keeper) -> None:
    names = [f"emily-20200101T0000{at:02}Z" for at in range(30)]
    mark = "-o org.emily-infra:policy=policy"
    keeper.console(
        "".join(f"zfs snapshot {mark} tank/loose@{name}\n" for name in names)
        + f"zfs hold keep tank/loose@{names[3]}; zfs clone tank/loose@{names[5]} tank/clone\n"
        "zfs snapshot tank/loose@manual; zfs snapshot tank/loose@emily-20200101T000059Z\n"
    )
    config = keeper.console("readlink -f /etc/emily/host.json").strip()
    keeper.console(
        f'python3 -c \'import json; d = json.load(open("{config}"));'
        ' d["datasets"]["tank/loose"]["policy"] = "often";'
        ' json.dump(d, open("/root/host.json", "w"))\''
    )

    code, said = keeper.backup("--config", "/root/host.json", "expire", "--many")

    assert code in (DONE, INCOMPLETE), said
    left = keeper.snapshots("tank/loose")
    assert {names[3], names[5], "manual", "emily-20200101T000059Z", names[-1]} <= set(left)
    assert len(left) < 12
    keeper.console(f"zfs destroy tank/clone; zfs release keep tank/loose@{names[3]}")


# --- accidents


TAKEN = "/run/current-system/sw/bin/emily-infra backup snapshot --reason apply"
VERBS = (
    TAKEN,
    "systemctl start emily-offsite-shelf",
    "systemctl start emily-prune-shelf",
    "systemctl start emily-verify-shelf",
    "systemctl start emily-replicate-barn",
    "systemctl start emily-drill",
    "rm -rf /root/back; /run/current-system/sw/bin/emily-infra backup restore /srv/work"
    " --repository shelf --to /root/back",
)


@pytest.mark.rehearsal
def test_whatever_is_killed_the_next_night_needs_no_hand(keeper: Keeper) -> None:
    draw = random.Random(SEED)
    for at in range(KILLS):
        verb = VERBS[at % len(VERBS)]
        after = draw.uniform(0.3, 12)
        keeper.console(f"head -c 200000 /dev/urandom >/srv/work/letters/new-{at}")
        keeper.console(
            f"( {verb} >/dev/null 2>&1 & ); sleep {after:.1f}\n"
            "for what in '-f emily_infra' '-x restic' '-x zfs'; do pkill -KILL $what || :; done\n"
            "sleep 1; systemctl reset-failed || :"
        )
        _is_whole(keeper)


@pytest.mark.rehearsal
def test_a_power_cut_at_any_moment_costs_nothing_that_was_there(keeper: Keeper) -> None:
    """After each cut what was cut ends well; a whole night, to the last byte, after the last."""
    draw = random.Random(SEED + 1)
    lasted = dict.fromkeys(VERBS, 20.0)
    for at in range(POWER_CUTS):
        verb = VERBS[draw.randrange(len(VERBS))]
        by_hand = f"tank/work@by-hand-{at}"
        keeper.console(
            f"head -c 200000 /dev/urandom >/srv/work/letters/cut-{at}; zfs snapshot {by_hand}\n"
            f"{TAKEN} >/dev/null 2>&1; sha256sum /srv/work/letters/cut-* >/root/sums\n"
            f"sync; zpool sync tank; nohup sh -c '{verb}' </dev/null >/dev/null 2>&1 &"
        )
        time.sleep(draw.random() * lasted[verb])

        keeper.power_cycle()

        keeper.console(f"zfs destroy {by_hand}; sha256sum --quiet --check /root/sums")
        lasted[verb] = _goes_on(keeper, verb)
        assert keeper.left_over() == "", (at, verb)
    keeper.ledger()
    _is_whole(keeper)


def _goes_on(keeper: Keeper, verb: str) -> float:
    """The same once more, without a hand, to its end; the seconds that it takes."""
    began = time.monotonic()
    if verb.startswith("systemctl"):
        assert keeper.unit(verb.rpartition(" ")[2]) == "success", verb
    else:
        keeper.console(verb)
    return time.monotonic() - began


def _is_whole(keeper: Keeper) -> None:
    """A night without a hand; the copies are whole to the byte, and nothing is left of the kill."""
    keeper.console("systemctl reset-failed || :")
    time.sleep(1)
    ended = {unit: keeper.unit(unit) for unit in NIGHT}
    assert ended == dict.fromkeys(ended, "success")
    code, said = keeper.backup("restore", "/srv/work/deep", "--repository", "shelf",
                               "--to", f"/root/whole-{time.monotonic_ns()}")  # fmt: skip
    assert code == DONE, said
    assert "no errors were found" in keeper.restic("check --read-data 2>&1")
    assert keeper.left_over() == ""


# --- disasters

STILL = {
    "status": INCOMPLETE,
    "list": INCOMPLETE,
    "snapshot": FAILED,
    "expire": FAILED,
    "offsite": INCOMPLETE,
    "drill": FAILED,
    "replicate": FAILED,
}
"""How each ends that has to do with a pool without disks."""


@pytest.mark.rehearsal
def test_a_suspended_pool_is_told_and_the_others_night_goes_on(keeper: Keeper) -> None:
    keeper.console("printf more >/srv/work/letters/more")
    keeper.suspend()

    named = {"snapshot": ("--reason", "apply"), "offsite": ("shelf",), "replicate": ("barn",)}
    told = {verb: keeper.backup(verb, *named.get(verb, ()), deadline=300) for verb in STILL}
    keeper.console("rm -f /root/kept")
    given = keeper.backup("restore", "/srv/kept/one", "--to", "/root/kept", deadline=300)

    assert {verb: code for verb, (code, _) in told.items()} == STILL, told
    for verb, (_, said) in told.items():
        assert "pool barn is SUSPENDED" in " ".join(said.split()), (verb, said)
    assert "tank: 3 taken" in told["snapshot"][1]
    assert "barn/kept is not in the copy" in told["offsite"][1]
    assert "tank/work: same" in told["drill"][1]
    assert (given[0], keeper.console("cat /root/kept")) == (DONE, "kept"), given[1]
    assert keeper.bring_back() == "late\n"
    ended = {unit: keeper.unit(unit) for unit in NIGHT}
    assert ended == dict.fromkeys(ended, "success")
    assert keeper.left_over() == ""


@pytest.mark.rehearsal
def test_a_machine_that_lost_everything_comes_back(keeper: Keeper) -> None:
    """The last: pool, state and cache are gone for good; repository and password are not."""
    keeper.console("systemctl stop 'emily-*.timer'")
    copied = keeper.backup("snapshot", "--reason", "apply"), keeper.backup("offsite", "shelf")
    was = keeper.contents()
    keeper.lose()

    created = keeper.operator("storage", "create", keeper.stage.name, "tank", "--confirm", "tank")
    keeper.console(MOUNTED)
    order = ("recover", keeper.stage.name, "--password-file", "/run/secrets/restic")
    refused = keeper.backup(*order)
    names = ("tank/work", "tank/work/deep", "tank/db")
    code, said = keeper.backup(*order, *(word for name in names for word in ("--dataset", name)))

    assert [each for each, _ in copied] == [DONE, DONE], copied
    assert created[0] == DONE, created[1]
    assert refused[0] == FAILED
    assert "BKP090: barn/kept is not empty" in refused[1]
    assert code == DONE, said
    assert keeper.contents() == was
    assert keeper.console("cat /srv/kept/one") == "kept"
    keeper.console(
        "zfs rename barn/replicas/tank/work barn/replicas/tank/work-before\n"
        "systemctl start timers.target"
    )
    _is_whole(keeper)
