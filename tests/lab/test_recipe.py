import pytest

from emily_infra.lab import recipe
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
