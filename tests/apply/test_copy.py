"""Where the host takes a system from, as Nix is told."""

from pathlib import Path

import pytest

from emily_infra.apply.copy import Copy, Substitutes
from emily_infra.machine import Store


@pytest.mark.parametrize(
    ("substitutes", "asked"), [(Substitutes.FROM_HERE, False), (Substitutes.FROM_CACHES, True)]
)
def test_a_host_asks_its_caches_only_where_it_is_told_to(
    tmp_path: Path,
    substitutes: Substitutes,
    asked: bool,  # noqa: FBT001
) -> None:
    nix = tmp_path / "nix"
    nix.write_text('#!/bin/sh\necho "$@" >&2\n')
    nix.chmod(0o755)
    said: list[str] = []

    Copy(Store("ssh-ng://root@box", {}), substitutes, {"PATH": f"{tmp_path}:/usr/bin:/bin"})(
        "/nix/store/new", said.append
    )

    assert ("--substitute-on-destination" in said[0]) is asked
