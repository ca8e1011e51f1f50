"""The log of drills: whoever changes it afterwards is found out."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from emily_infra.backup.evidence import Finding, Verdict, append, folder
from emily_infra.backup.examining import examine
from emily_infra.backup.here import Here
from emily_infra.backup.settings import Paths, Settings
from tests.backup.world import World

Lines = list[str]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys") / "host")


def make_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.fixture
def here(tmp_path: Path) -> Here:
    settings = Settings(
        version=2, host="box", host_id="1", paths=Paths(state=tmp_path), datasets={}
    )
    return Here(settings)


def finding(number: int = 0) -> Finding:
    odd = f"한국/\\xff{number}"
    return Finding("ada", "shed", "tank/home", Verdict.SAME, files=number, differences=(odd,))


@pytest.fixture
def log(here: Here, key: Path) -> Path:
    for number in range(5):
        append(here, finding(number), key)
    return folder(here) / "log.jsonl"


def test_an_untouched_log_is_whole(here: Here, key: Path, log: Path) -> None:
    examined = examine(here, [key])

    assert (examined.faults, examined.remarks) == ([], [])
    assert [line.data["files"] for line in examined.entries] == [0, 1, 2, 3, 4]
    assert log.stat().st_mode & 0o022 == 0


def _edited(lines: Lines, at: int) -> Lines:
    data = json.loads(lines[at])
    data["verdict"] = "differs"
    return [*lines[:at], json.dumps(data, sort_keys=True) + "\n", *lines[at + 1 :]]


def _unsigned(lines: Lines, at: int) -> Lines:
    data = json.loads(lines[at])
    data["signature"] = ""
    return [*lines[:at], json.dumps(data) + "\n", *lines[at + 1 :]]


ATTACKS: dict[str, Callable[[Lines, int], Lines]] = {
    "removed": lambda lines, at: lines[:at] + lines[at + 1 :],
    "edited": _edited,
    "unsigned": _unsigned,
    "doubled": lambda lines, at: lines[: at + 1] + lines[at:],
    "swapped": lambda lines, at: [*lines[:at], *lines[at : at + 2][::-1], *lines[at + 2 :]],
    "garbled": lambda lines, at: [*lines[:at], "{\n", *lines[at + 1 :]],
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("at", range(5))
def test_whatever_is_done_to_a_line_is_found(
    here: Here, key: Path, log: Path, attack: str, at: int
) -> None:
    lines = log.read_text().splitlines(keepends=True)
    changed = ATTACKS[attack](lines, at)
    if changed == lines:
        pytest.skip("the last line has none to be swapped with")

    log.write_text("".join(changed))

    assert examine(here, [key]).faults


def test_a_log_that_begins_anew_is_found(here: Here, key: Path, log: Path) -> None:
    log.unlink()

    assert "drill was number 5" in examine(here, [key]).faults[0]


def test_a_chain_written_anew_by_another_key_is_found(
    here: Here, key: Path, log: Path, tmp_path: Path
) -> None:
    log.unlink()
    append(here, finding(), make_key(tmp_path / "other"))

    assert "signed by another key" in examine(here, [key]).faults[0]


def test_a_signature_for_another_purpose_is_none(here: Here, key: Path, log: Path) -> None:
    lines = log.read_text().splitlines(keepends=True)
    data = json.loads(lines[4])
    words = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "file"]
    body = json.dumps({name: data[name] for name in data if name != "signature"}, sort_keys=True)
    signed = subprocess.run(words, input=body, capture_output=True, text=True, check=True)
    data["signature"] = signed.stdout

    log.write_text("".join(lines[:4]) + json.dumps(data) + "\n")

    assert any("signed by another key" in fault for fault in examine(here, [key]).faults)


@pytest.mark.parametrize("left", [1, 40, 400])
def test_a_line_cut_by_a_power_cut_is_mended_with_a_word(
    here: Here, key: Path, log: Path, left: int
) -> None:
    with log.open("ab") as file:
        file.write(log.read_bytes().splitlines()[-1][:left])
    heard: list[str] = []

    before = examine(here, [key])
    append(Here(here.settings, tell=heard.append), finding(9), key)
    after = examine(here, [key])

    assert (len(before.faults), len(before.remarks)) == (0, 1)
    assert "was cut" in heard[0]
    assert (after.faults, after.remarks, len(after.entries)) == ([], [], 6)


def test_a_line_that_lacks_only_its_end_is_kept(here: Here, key: Path, log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-1])

    append(here, finding(9), key)

    assert examine(here, [key]).faults == []
    assert len(examine(here, [key]).entries) == 6


@pytest.mark.usefixtures("log")
def test_a_crash_before_the_end_was_noted_is_no_attack(here: Here, key: Path) -> None:
    end = (folder(here) / "end.json").read_bytes()
    append(here, finding(9), key)
    (folder(here) / "end.json").write_bytes(end)

    assert examine(here, [key]).faults == []


def test_a_host_without_a_key_drills_all_the_same_and_says_so(here: Here, tmp_path: Path) -> None:
    heard: list[str] = []

    append(Here(here.settings, tell=heard.append), finding(), tmp_path / "none")

    assert "not signed" in heard[0]
    assert examine(here, [tmp_path / "none"]).faults == ["line 1 is not signed"]


@pytest.mark.skipif(not shutil.which("jq"), reason="no jq here")
def test_jq_and_ssh_keygen_alone_can_verify_a_line(key: Path, log: Path, tmp_path: Path) -> None:
    jq = ["jq", "-jcS", "del(.signature)"]
    line = log.read_bytes().splitlines()[2]
    public = key.with_name("host.pub").read_text()
    (tmp_path / "allowed").write_text(f"box {public}")
    (tmp_path / "signature").write_text(json.loads(line)["signature"])

    body = subprocess.run(jq, input=line, capture_output=True, check=True).stdout
    words = ["ssh-keygen", "-Y", "verify", "-n", "emily-drill", "-I", "box"]
    files = ["-f", str(tmp_path / "allowed"), "-s", str(tmp_path / "signature")]

    assert subprocess.run([*words, *files], input=body, check=False).returncode == 0


def test_the_verb_shows_the_drills_and_says_whether_they_are_whole(world: World, key: Path) -> None:
    log = folder(world.here()) / "log.jsonl"
    for number in range(3):
        append(world.here(), finding(number), key)

    whole = world.run("evidence", "--key", f"{key}.pub")
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:2]))
    cut = world.run("evidence", "--key", f"{key}.pub", "--json")

    assert (whole.code, "whole: 3 drills" in whole.out, "tank/home" in whole.out) == (0, True, True)
    assert (cut.code, len(json.loads(cut.out)["drills"])) == (1, 2)
    assert "the last drill was number 3" in cut.err
