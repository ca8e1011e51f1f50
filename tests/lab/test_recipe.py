import re
import tomllib
from collections.abc import Iterable
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from emily_infra.lab import recipe, wheels
from emily_infra.lab.mirror import choose
from emily_infra.lab.recipe import Sources
from tests.hosts import ROOT

SOURCES = Sources("http://mirror/debian", ROOT / "keys.gpg", "http://proxy:3128")


def test_the_same_recipe_has_the_same_name() -> None:
    assert recipe.key() == recipe.key()


def test_signatures_are_always_checked() -> None:
    words = " ".join(recipe.command(SOURCES, ROOT, ROOT))

    assert f"--keyring={ROOT}/keys.gpg" in words
    assert "trusted=yes" not in words
    assert "AllowUnauthenticated" not in words
    assert "AllowInsecure" not in words


def test_zfs_alone_comes_from_backports() -> None:
    setup = (recipe.FOLDER / "setup").read_text()

    assert "Package: src:zfs-linux\nPin: release n=trixie-backports\nPin-Priority: 990" in setup


def test_packages_are_fetched_through_the_proxy_of_this_machine() -> None:
    assert '--aptopt=Acquire::http::Proxy "http://proxy:3128"' in recipe.command(
        SOURCES, ROOT, ROOT
    )


TABLE = """\
Packages\tGoogle\tmain\tcloud-sdk\thttps://packages.example.com/apt
Packages\tDebian\tmain\tbookworm-security\thttp://one/debian-security
Translations\tDebian\tmain\tbookworm\thttp://two/debian
Packages\tDebian\tcontrib\tbookworm\thttp://three/debian
Packages\tDebian\tmain\tbookworm\thttp://four/debian
Packages\tDebian\tmain\tbookworm-updates\thttp://five/debian
"""


def test_the_mirror_is_the_first_archive_of_debian_in_apts_own_list() -> None:
    assert choose(TABLE) == "http://four/debian"


def test_before_the_first_update_the_release_tells_what_is_debian() -> None:
    assert choose("Packages\t\tmain\ttrixie\thttp://here/debian\n") == "http://here/debian"


@pytest.mark.parametrize("table", ["", "Packages\tUbuntu\tmain\tnoble\thttp://here/ubuntu\n"])
def test_without_a_mirror_of_debian_there_is_none(table: str) -> None:
    assert choose(table) is None


# --- the libraries of the cognitive runtime

_NAME = re.compile(r"^([a-z0-9-]+)==", re.MULTILINE)
_BY_TYPER = {"click"}


def entries(text: str) -> list[str]:
    """The requirements of a lock, each with its hashes."""
    return re.findall(r"^[a-z0-9-]+==.*\n(?: +--hash=.*\n)+", text, re.MULTILINE)


def needed(names: Iterable[str]) -> set[str]:
    """What these import on the image's Python, and what that imports."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            asked = map(Requirement, metadata.requires(name) or ())
            here = {"python_version": "3.13", "extra": ""}
            waiting += [one.name for one in asked if not one.marker or one.marker.evaluate(here)]
    return found


def test_the_wheels_of_the_image_stand_in_the_lock_with_the_same_hashes() -> None:
    lock = entries((ROOT / "requirements.lock").read_text())

    assert "".join(entries(wheels.LOCK.read_text())) == wheels.LOCK.read_text()
    assert set(entries(wheels.LOCK.read_text())) <= set(lock)


def test_the_image_has_all_that_the_runtime_imports_and_no_library_twice() -> None:
    project = tomllib.loads((ROOT / "emily_runtime/pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["postgresql"]]
    debian = {name.removeprefix("python3-") for name in recipe.packages()} | _BY_TYPER
    wheel = set(_NAME.findall(wheels.LOCK.read_text()))

    found = needed(Requirement(line).name for line in wanted)

    assert found - debian == wheel
    assert not debian & wheel
