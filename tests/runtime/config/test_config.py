"""The configuration is read strictly, and a running process takes over what it can."""

from dataclasses import fields
from pathlib import Path

import pytest

from emily_runtime.config import Config, read, reloaded
from emily_runtime.config.config import NAMED, TABLES
from emily_runtime.messages import Refused


def written(folder: Path, text: str) -> Config:
    file = folder / "runtime.toml"
    file.write_text(text)
    return read(file)


def refusal(folder: Path, text: str) -> Refused:
    with pytest.raises(Refused) as refused:
        written(folder, text)
    return refused.value


def test_an_empty_file_has_every_default(tmp_path: Path) -> None:
    assert written(tmp_path, "") == Config(file=tmp_path / "runtime.toml")


def _as_toml(value: object) -> object:
    if isinstance(value, tuple | frozenset):
        return [_as_toml(one) for one in value]
    return value


@pytest.mark.parametrize("section", [*TABLES.values(), *NAMED.values()])
def test_every_default_is_of_its_own_kind_or_left_empty(section: type) -> None:
    empty = section()

    for one in fields(empty):
        value = getattr(empty, one.name)
        assert value == "" or one.metadata["kind"].read(_as_toml(value)) == value


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("[servce]\n", "servce", "service"),
        ("[alpha]\nfrequenzy = 8\n", "alpha.frequenzy", "alpha.frequency"),
        ("[flags.new-page]\nshar = 5\n", "flags.new-page.shar", "flags.new-page.share"),
    ],
)
def test_an_unknown_name_is_told_its_nearest(
    tmp_path: Path, text: str, key: str, nearest: str
) -> None:
    told = refusal(tmp_path, text)

    assert told.code == "EMY-1003"
    assert told.values["key"] == key
    assert f"the nearest is {nearest};" in told.told("en")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[alpha]\npower = 2\n", "a number from 0 to 1"),
        ("[alpha]\npower = true\n", "a number from 0 to 1"),
        ("[alpha]\nfrequency = nan\n", "a number from 0.5 to 50"),
        ("[substrate]\nrate = [1, 2]\n", "five numbers"),
        ("[substrate]\ncoupling = [[1, 2]]\n", "five rows of five numbers"),
        ("[bus]\nslots = 1000\n", "a power of two"),
        ("[bus]\ndurable = ['alerts']\n", "a list of alert, beat, broadcast, incident"),
        ("[llm]\norder = ['offline', 'offline']\n", "none twice"),
        ("[llm]\norder = ['acme']\n", "anthropic, openai, offline"),
        ("[llm]\nopenai_url = 'file:///etc'\n", "an http or https address"),
        ("[inference]\ntrouble = ['Disk']\n", "words in lower case"),
        ("[flags]\nnew = 1\n", "a table"),
        ("[flags.'Ü']\nshare = 1\n", "a name in lower case"),
        ("[flags.new]\nsince = '2026-13-01'\n", "a day such as"),
        ("[memory]\nrecall = 1.5\n", "a whole number from 0 to 20"),
    ],
)
def test_a_wrong_value_is_told_what_is_wanted(tmp_path: Path, text: str, wanted: str) -> None:
    told = refusal(tmp_path, text)

    assert told.code == "EMY-1004"
    assert wanted in told.told("en")


def test_flags_and_reflexes_have_names_of_ones_own(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        "[flags.new-page]\nshare = 2.5\n[reflexes.ping]\nwords = ['ping']\nreply = 'pong'\n",
    )

    assert found.flags["new-page"].share == 2.5
    assert found.reflexes["ping"].words == {"ping"}


def test_a_reload_takes_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    running = written(tmp_path, "[service]\nport = 1\nrate = 5\n")
    wanted = written(tmp_path, "[service]\nport = 2\nrate = 6\n[flags.x]\nshare = 1\n")

    taken, waiting = reloaded(running, wanted)

    assert (taken.service.port, taken.service.rate) == (1, 6.0)
    assert "x" in taken.flags
    assert waiting == ("service.port",)
