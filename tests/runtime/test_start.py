"""emily-runtime refuses a start that cannot work, with a code and the next move."""

import ast
import re
import socket
import string
import sys
import tomllib
import unicodedata
from pathlib import Path

import pytest

import emily_runtime
from emily_runtime.messages import CATALOGUE
from tests.runtime.process import TOKEN, configuration, run

SERVICE = '[service]\nhost = "127.0.0.1"\nport = 0\n'


def test_it_knows_its_version() -> None:
    assert run("--version").stdout == f"emily-runtime {emily_runtime.__version__}\n"


def test_check_reads_the_configuration_and_starts_nothing(tmp_path: Path) -> None:
    done = run("check", "--config", configuration(tmp_path, '[service]\nhost = "::1"\n'))

    assert done.returncode == 0
    assert done.stdout.endswith("ok, http://[::1]:8470\n")


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("[service\n", "EMY-1002", "TOML"),
        ("[servce]\n", "EMY-1003", "servce"),
        ("[service]\nprot = 1\n", "EMY-1003", "service.prot"),
        ("[providers]\nacme = 'x'\n", "EMY-1003", "providers.acme"),
        ("[service]\nport = true\n", "EMY-1004", "service.port"),
        ("[service]\nport = 65536\n", "EMY-1004", "65536"),
        ("[service]\nhost = 'localhost'\n", "EMY-1004", "an IP address"),
        ("[service]\nlanguage = 'de'\n", "EMY-1004", "en or ko"),
        ("[providers]\nopenai = '../token'\n", "EMY-1004", "providers.openai"),
        ("service = 1\n", "EMY-1004", "a table"),
    ],
)
def test_a_wrong_configuration_is_refused(tmp_path: Path, text: str, code: str, word: str) -> None:
    done = run("check", "--config", configuration(tmp_path, text))

    assert done.returncode == 1
    assert done.stderr.startswith(f"{code}: ")
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_configuration_is_refused_in_the_operators_language(tmp_path: Path) -> None:
    done = run("check", "--config", tmp_path / "none.toml", LANG="ko_KR.UTF-8")

    assert done.returncode == 1
    assert "읽을 수 없습니다" in done.stderr


@pytest.mark.parametrize("token", [None, "", "short\n", "\udcff" * 20])
def test_without_a_usable_token_it_does_not_start(tmp_path: Path, token: str | None) -> None:
    if token is not None:
        (tmp_path / "token").write_bytes(token.encode("utf-8", "surrogateescape"))

    done = run("serve", "--config", configuration(tmp_path), CREDENTIALS_DIRECTORY=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.startswith("EMY-1005: credential token")


def test_outside_of_systemd_it_says_what_is_missing(tmp_path: Path) -> None:
    done = run("serve", "--config", configuration(tmp_path))

    assert "$CREDENTIALS_DIRECTORY is not set" in done.stderr


def test_a_provider_without_its_key_is_noticed_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    text = SERVICE + '[providers]\nopenai = "provider-openai"\n'

    done = run(
        "serve", "--config", configuration(tmp_path, text), CREDENTIALS_DIRECTORY=str(tmp_path)
    )

    assert done.stderr.startswith("EMY-1005: credential provider-openai")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        file = configuration(tmp_path, f'[service]\nhost = "127.0.0.1"\nport = {port}\n')

        folder = str(tmp_path)
        done = run("serve", "--config", file, CREDENTIALS_DIRECTORY=folder, STATE_DIRECTORY=folder)

    assert done.returncode == 1
    assert done.stderr.startswith(f"EMY-1006: cannot listen on 127.0.0.1:{port}")


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_message_says_the_same_in_both_languages(code: str) -> None:
    holes = {
        language: {hole for part in message for _, hole, _, _ in string.Formatter().parse(part)}
        - {None}
        for language, message in CATALOGUE[code].items()
    }

    assert holes["en"] == holes["ko"]
    assert any("가" <= letter <= "힣" for letter in "".join(CATALOGUE[code]["ko"]))


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_message_says_what_to_do_and_fits_two_lines_of_a_terminal(code: str) -> None:
    for message in CATALOGUE[code].values():
        assert message.action
        assert width(f"{code}: {message.text}") + width(message.action) <= 2 * 80


def width(text: str) -> int:
    """Columns of a terminal, in which Hangul takes two."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_command_that_is_told_reaches_the_colours(code: str) -> None:
    told = " ".join(part for message in CATALOGUE[code].values() for part in message)

    # The unit without a colour only starts one: it has no journal, and restarting it does nothing.
    assert not re.search(r"(restart|-u) '?emily-runtime(?![*@])", told)


def test_it_stands_alone() -> None:
    folder = Path(emily_runtime.__file__).parent
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(name for group in optional.values() for name in group)]
    declared = {re.split(r"[^\w-]", name)[0].replace("-", "_") for name in wanted}

    imports = {name for source in folder.rglob("*.py") for name in _imports(source)}

    assert imports <= {"emily_runtime", *sys.stdlib_module_names, *declared}


def test_every_folder_is_installed() -> None:
    folder = Path(emily_runtime.__file__).parent
    project = tomllib.loads((folder / "pyproject.toml").read_text())

    found = {
        ".".join(source.parent.relative_to(folder.parent).parts)
        for source in folder.rglob("__init__.py")
    }

    assert found == set(project["tool"]["setuptools"]["packages"])


def _imports(source: Path) -> set[str]:
    """The top-level names that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}
