"""What goes and comes, by package."""

import pytest

from emily_infra.plan.model import PackageChange, Sign
from emily_infra.plan.packages import difference, named


def path(name: str, mark: str = "a") -> str:
    return f"/nix/store/{mark * 32}-{name}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openssh-10.0p2", ("openssh", "10.0p2")),
        ("openssh-10.0p2-man", ("openssh", "10.0p2")),
        ("gcc-14.3.0-lib", ("gcc", "14.3.0")),
        ("zfs-kernel-2.4.1-6.12.30", ("zfs-kernel", "2.4.1-6.12.30")),
        ("python3.12-pydantic-2.11.1", ("python3.12-pydantic", "2.11.1")),
        ("perl5.40.0-Foo-1.2", ("perl5.40.0-Foo", "1.2")),
        ("libfoo-unstable-2024-01-02", ("libfoo-unstable", "2024-01-02")),
        ("unit-sshd.service", None),
        ("nixos-system-ember-26.05.20261101.abcdef", None),
        ("linux-6.12.30-modules", None),
        ("etc", None),
    ],
)
def test_a_store_path_as_package_and_version(name: str, expected: tuple[str, str] | None) -> None:
    assert named(path(name)) == expected


def test_a_new_version_is_one_change() -> None:
    found = difference([path("openssh-10.0p2")], {path("openssh-10.1p1", "b"): 5})

    assert found.changes == (PackageChange("openssh", Sign.CHANGED, ("10.0p2",), ("10.1p1",)),)
    assert found.copied == 5


def test_the_same_version_from_another_build_is_only_counted() -> None:
    found = difference([path("openssh-10.0p2")], {path("openssh-10.0p2", "b"): 5})

    assert (found.changes, found.rebuilt) == ((), ("openssh 10.0p2",))


def test_packages_come_and_go() -> None:
    found = difference([path("a-1"), path("b-1")], {path("b-1"): 1, path("c-1"): 1})

    assert [(each.name, each.sign) for each in found.changes] == [
        ("a", Sign.REMOVED),
        ("c", Sign.ADDED),
    ]


def test_of_two_versions_one_may_go() -> None:
    (change,) = difference([path("a-1"), path("a-2")], {path("a-2"): 1}).changes

    assert (change.old, change.new) == (("1",), ())
