"""Patterns of what is left out, as restic itself reads them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from emily_infra.backup.drilling.leaving_out import left_out

FILES = (
    "a/b/c.txt", "a/cache/x", "cache/y", "b/deep/er/cache/z", "notes.tmp", "a/notes.tmp",
    "a/x1.bak", "a/xy.bak", "odd[1]/f", "tmp/keep", "a/.hidden/file",
)  # fmt: skip
PATTERNS = (
    "{}/a/cache", "{}/**/cache", "*.tmp", "{}/*.tmp", "{}/a/x?.bak", "{}/a/x[0-9].bak",
    "{}/odd\\[1\\]", "{}/a/**", "{}/**/er", "**/deep", "{}/b/**/cache", "{}/.*", "{}/**/.*",
    "{}/a/x[^0-9].bak", "nothing",
)  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("patterns") / "tree"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    subprocess.run(["restic", "init"], env=environment(root), check=True, capture_output=True)
    return root


def environment(root: Path) -> dict[str, str]:
    where = {"RESTIC_REPOSITORY": str(root.parent / "repository"), "RESTIC_PASSWORD": "x"}
    return {**os.environ, **where, "RESTIC_CACHE_DIR": str(root.parent / "cache")}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_left_out_is_what_restic_leaves_out(tree: Path, pattern: str) -> None:
    pattern = pattern.format(tree)
    words = ["restic", "backup", "--json", "--exclude", pattern, str(tree)]
    done = subprocess.run(words, env=environment(tree), check=True, capture_output=True)
    copy = json.loads(done.stdout.splitlines()[-1])["snapshot_id"]
    listing = ["restic", "ls", "--json", copy]
    listed = subprocess.run(listing, env=environment(tree), check=True, capture_output=True)
    there = {json.loads(line).get("path") for line in listed.stdout.splitlines()}

    is_left_out = left_out([pattern], bytes(tree))

    for name in FILES:
        parts = [name.encode().rsplit(b"/", count)[0] for count in range(name.count("/") + 1)]
        assert any(is_left_out(each) for each in parts) == (f"{tree}/{name}" not in there), name
