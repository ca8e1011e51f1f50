"""The command line as a person and a program meet it: whole processes."""

import json
import os
import subprocess
import sys
import threading
import unicodedata
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emily_runtime.cli.main import ARITHMETIC
from emily_runtime.memory.episode import Tally
from emily_runtime.memory.sqlite.store import SqliteStore
from tests.runtime.memory.episodes import run as remembering
from tests.runtime.memory.episodes import series
from tests.runtime.process import ROOT, TOKEN, configuration, run

COUNTED = """
import os
from emily_runtime.cli.main import main
main()
import numpy
print(len(os.listdir("/proc/self/task")), os.environ["OMP_NUM_THREADS"])
"""


def test_the_version_needs_no_numpy() -> None:
    done = run("--version", PYTHONPROFILEIMPORTTIME="1")

    assert done.stdout.startswith("emily-runtime ")
    assert "numpy" not in done.stderr
    assert "msgspec" not in done.stderr


@pytest.mark.parametrize(
    ("told", "wanted"), [({}, "1"), ({"OMP_NUM_THREADS": "7"}, "7")], ids=["alone", "told"]
)
def test_arithmetic_has_one_thread_unless_the_operator_says_otherwise(
    told: dict[str, str], wanted: str
) -> None:
    mine = {name: value for name, value in os.environ.items() if name not in ARITHMETIC}

    said = subprocess.check_output(
        [sys.executable, "-c", COUNTED, "topology", "--json"], cwd=ROOT, env=mine | told, text=True
    )

    assert said.splitlines()[-1] == f"1 {wanted}"


def test_a_demonstration_explains_every_tier_within_80_columns() -> None:
    done = run("demo")

    assert done.returncode == 0
    for tier in ("0 reflex", "1 alpha", "1 substrate", "2 workspace", "3 inference", "3 flow"):
        assert f"\n{tier}" in done.stdout
    assert "action        answer" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_a_reflex_ends_the_demonstration() -> None:
    done = run("demo", "ping", "--json")

    assert json.loads(done.stdout)["reply"]["tier"] == "reflex"


def test_check_builds_the_tiers_and_names_what_never_rests(tmp_path: Path) -> None:
    coupling = "[" + ", ".join(["[9.0, 9.0, 0.0, 0.0, 0.0]"] * 5) + "]"
    file = configuration(tmp_path, f"[substrate]\ncoupling = {coupling}\n")

    done = run("check", "--config", file)

    assert done.returncode == 1
    assert done.stderr.startswith("EMY-1007: ")
    assert "dopamine" in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[pressure]\nfirst = 90\n", "have to rise, and are 90, 15, 30, 50"),
        ("[llm]\norder = ['anthropic']\n", "llm.anthropic_model names no model"),
        ("[llm]\norder = ['openai']\nopenai_model = 'tiny'\n", "what tiny costs is not known"),
        (
            "[llm]\norder = ['openai']\nopenai_model = 'gpt-5'\nopenai_url = 'http://8.8.8.8'\n"
            "[providers]\nopenai = 'key'\n",
            "use https",
        ),
    ],
)
def test_check_refuses_what_could_not_be_served(tmp_path: Path, text: str, told: str) -> None:
    done = run("check", "--config", configuration(tmp_path, text))

    assert done.returncode == 1
    assert told in done.stderr


def test_every_command_has_its_json(tmp_path: Path) -> None:
    file = configuration(
        tmp_path, "[flags.new-page]\nshare = 5\nowner = 'ann'\nsince = '2026-01-01'\n"
    )

    flags = json.loads(run("flags", "--config", file, "--json").stdout)
    topology = json.loads(run("topology", "--json").stdout)
    checked = json.loads(run("check", "--config", file, "--json").stdout)

    assert (flags[0]["name"], flags[0]["share"]) == ("new-page", 5.0)
    assert topology["components"] >= 5
    assert checked["ok"] is True


def test_the_topology_is_that_of_the_configuration(tmp_path: Path) -> None:
    file = configuration(tmp_path, "[bus]\ndurable = []\n")

    kept = run("topology").stdout
    none = run("topology", "--config", file).stdout

    assert "hears ledger.row" in kept
    assert "hears ledger.row" not in none


def test_memory_is_counted_searched_exported_and_moved(tmp_path: Path) -> None:
    kept, checksum = series(3), Tally().plus(series(3)).checksum
    remembering(lambda: SqliteStore(tmp_path), lambda store: store.add(kept))
    state = ("--config", configuration(tmp_path), "--state", tmp_path)

    found = run("memory", "search", kept[1].text, "--most", "1", *state)
    exported = run("memory", "export", *state).stdout.splitlines()
    moved = run("memory", "migrate", "--to", str(tmp_path / "other"), *state)

    assert run("memory", "count", *state).stdout == f"3 episodes, {checksum}\n"
    assert found.stdout.endswith(f"{kept[1].identity}  {kept[1].text}\n")
    assert [json.loads(line)["text"] for line in exported] == [one.text for one in kept]
    assert moved.stdout == (
        f"3 copied, 0 were there: 3 episodes, the same on both sides ({checksum})\n"
    )


def test_an_empty_memory_says_so(tmp_path: Path) -> None:
    state = ("--config", configuration(tmp_path), "--state", tmp_path)

    assert run("memory", "search", "disk", *state).stdout == "nothing is like it\n"


def test_the_doctor_looks_at_credentials_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    file = configuration(tmp_path, "[providers]\nopenai = 'key'\n")

    done = run("doctor", "--config", file, CREDENTIALS_DIRECTORY=str(tmp_path))

    assert done.returncode == 3
    assert "ok     credential token" in done.stdout
    assert "WRONG  credential key" in done.stdout
    assert "LoadCredential=key:FILE" in done.stdout


LOCAL = "[llm]\norder = ['openai', 'offline']\nopenai_model = 'tiny'\nopenai_url = '{url}'\n"


class Silent(BaseHTTPRequestHandler):
    """A server that knows nothing."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


def test_the_doctor_reaches_for_a_server_and_says_what_it_found(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        file = configuration(tmp_path, LOCAL.format(url=url))
        there = run("doctor", "--config", file, "--reach")
        server.shutdown()

    gone = run("doctor", "--config", file, "--reach")

    assert f"provider openai: {url} answers (404)" in there.stdout
    assert gone.returncode == 3
    assert f"WRONG  provider openai: {url}: " in gone.stdout
    assert f"try it by hand: curl -v {url}" in gone.stdout
    assert "Traceback" not in gone.stdout + gone.stderr


def test_the_doctor_asks_for_no_key_to_a_server_nearby(tmp_path: Path) -> None:
    far, near = (
        run("doctor", "--config", configuration(tmp_path, LOCAL.format(url=url))).stdout
        for url in ("https://models.example/v1", "http://10.30.0.7:8000/v1")
    )

    assert "provider openai: it has no key" in far
    assert "provider openai: not called" in near


def test_the_doctor_knows_which_cards_vllm_leaves_out(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Tesla P4, 6.1'\n")
    program.chmod(0o755)

    done = run("doctor", PATH=f"{tmp_path}:/usr/bin:/bin")

    assert "vLLM needs compute capability 7.0; for Tesla P4" in done.stdout


@pytest.mark.parametrize("text", ["", "not a recording"])
def test_what_is_no_recording_is_not_replayed(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run"
    file.write_text(text)

    done = run("replay", str(file), LANG="ko_KR.UTF-8")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert any("HANGUL" in unicodedata.name(letter, "") for letter in done.stderr)


def test_a_wrong_command_line_is_told_the_exit_codes() -> None:
    assert run("sevre").returncode == 2
    assert "exit codes:" in run("--help").stdout
