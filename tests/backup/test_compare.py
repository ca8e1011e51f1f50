"""Comparing a restored tree with the snapshot that it came from: whatever differs is found."""

import os
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_infra.backup.compare import Comparison, Difference, What
from tests.backup.trees import IS_ROOT, access_list, copied, plant

root_only = pytest.mark.skipif(not IS_ROOT, reason="only root makes devices and gives files away")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("original") / "tree"
    root.mkdir()
    plant(root)
    return root


def compared(one: Path, two: Path) -> list[Difference]:
    return list(Comparison(os.fsencode(one), os.fsencode(two)).tree())


def test_a_faithful_copy_differs_in_nothing(original: Path, tmp_path: Path) -> None:
    copy = copied(original, tmp_path / "copy")

    comparison = Comparison(os.fsencode(original), os.fsencode(copy))

    assert list(comparison.tree()) == []
    assert comparison.tally.bytes > 64 << 20
    assert comparison.tally.files >= 18


def _flip(file: Path) -> None:
    status = file.stat()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replace(path: Path, make: Callable[[Path], object]) -> None:
    status = path.lstat()
    path.unlink()
    make(path)
    os.lchown(path, status.st_uid, status.st_gid)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def _make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _unlink_one(root: Path) -> None:
    content = (root / "second name").read_bytes()
    _replace(root / "second name", lambda path: path.write_bytes(content))


CHANGES: dict[str, tuple[str, What, Callable[[Path], object]]] = {
    "a bit": ("odd/with blank", What.CONTENT, lambda r: _flip(r / "odd/with blank")),
    "a bit of an island": ("sparse", What.CONTENT, lambda r: _flip(r / "sparse")),
    "an odd name's bit": ("odd/-rf", What.CONTENT, lambda r: _flip(r / "odd/-rf")),
    "a byte more": ("odd/plain", What.SIZE, lambda r: (r / "odd/plain").open("ab").write(b"x")),
    "a mode": ("odd/ lead", What.MODE, lambda r: (r / "odd/ lead").chmod(0o600)),
    "a folder's mode": ("empty folder", What.MODE, lambda r: (r / "empty folder").chmod(0o770)),
    "a nanosecond": ("odd", What.TIME, lambda r: os.utime(r / "odd", ns=(0, 10**18 + 6))),
    "a link's target": (
        "dangling",
        What.TARGET,
        lambda r: _replace(r / "dangling", lambda path: path.symlink_to("no wherf")),
    ),
    "a link's time": (
        "dangling",
        What.TIME,
        lambda r: os.utime(r / "dangling", ns=(0, 1), follow_symlinks=False),
    ),
    "an attribute": ("deep", What.ATTRIBUTES, lambda r: os.setxattr(r / "deep", "user.note", b"")),
    "an attribute more": (
        "odd/#hash",
        What.ATTRIBUTES,
        lambda r: os.setxattr(r / "odd/#hash", "user.more", b""),
    ),
    "an access list": (
        "deep/er/est/empty",
        What.ATTRIBUTES,
        lambda r: os.setxattr(
            r / "deep/er/est/empty", "system.posix_acl_access", access_list(1235)
        ),
    ),
    "a hard link": ("second name", What.LINKS, _unlink_one),
    "a file less": ("odd/new\nline", What.MISSING, lambda r: (r / "odd/new\nline").unlink()),
    "a file more": ("odd/new", What.EXTRA, lambda r: (r / "odd/new").touch()),
    "a folder for a pipe": ("pipe", What.TYPE, lambda r: _make_folder(r / "pipe")),
    "the root's mode": ("", What.MODE, lambda r: r.chmod(0o711)),
}
if IS_ROOT:
    CHANGES |= {
        "an owner": ("odd/plain", What.OWNER, lambda r: os.chown(r / "odd/plain", 7, -1)),
        "a group": ("dangling", What.GROUP, lambda r: os.lchown(r / "dangling", -1, 7)),
        "a device's number": (
            "device",
            What.DEVICE,
            lambda r: _replace(r / "device", lambda p: os.mknod(p, 0o20600, os.makedev(1, 5))),
        ),
    }


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_found_with_its_path(original: Path, tmp_path: Path, change: str) -> None:
    copy = copied(original, tmp_path / "copy")
    path, what, deed = CHANGES[change]

    deed(copy)

    found = {(each.path, each.what) for each in compared(original, copy)}
    assert (os.fsencode(path), what) in found
    # What else changes with it is the time of its folder, or of itself.
    assert {each for each in found if each[1] is not What.TIME} - {(os.fsencode(path), what)} == (
        set()
    )


@settings(max_examples=40, deadline=None)
@given(
    contents=st.lists(st.binary(max_size=64), min_size=1, max_size=8),
    holes=st.integers(0, 3),
    data=st.data(),
)
def test_any_changed_byte_of_any_file_is_found(
    contents: list[bytes], holes: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "one"
        root.mkdir()
        for number, content in enumerate(contents):
            with (root / str(number)).open("wb") as file:
                file.seek(number * holes << 20)
                file.write(content + b".")
        copy = copied(root, Path(folder) / "two")
        victim = copy / str(data.draw(st.integers(0, len(contents) - 1)))
        status = victim.stat()
        at = data.draw(st.integers(0, status.st_size - 1))
        with victim.open("r+b") as file:
            byte = os.pread(file.fileno(), 1, at)
            os.pwrite(file.fileno(), bytes([byte[0] ^ data.draw(st.integers(1, 255))]), at)
        os.utime(victim, ns=(status.st_atime_ns, status.st_mtime_ns))

        found = compared(root, copy)

    assert [(each.what, each.found) for each in found] == [(What.CONTENT, f"from byte {at} on")]


def test_a_sample_is_compared_with_the_folders_above_it(original: Path, tmp_path: Path) -> None:
    copy = copied(original, tmp_path / "copy")
    (copy / "deep" / "er").chmod(0o700)
    (copy / "odd" / "plain").write_bytes(b"not asked for")
    comparison = Comparison(os.fsencode(original), os.fsencode(copy))

    found = list(comparison.paths([b"deep/er/est/large"]))

    assert [(each.path, each.what) for each in found] == [(b"deep/er", What.MODE)]
    assert comparison.tally.files == 1


def test_what_is_left_out_is_not_missed(original: Path, tmp_path: Path) -> None:
    copy = copied(original, tmp_path / "copy")
    (copy / "deep" / "er" / "est" / "empty").write_bytes(b"other")
    (copy / "pipe").unlink()
    left_out = {b"deep", b"pipe"}.__contains__
    comparison = Comparison(os.fsencode(original), os.fsencode(copy), left_out)

    assert {each.what for each in comparison.tree()} <= {What.TIME}


def test_the_hash_is_of_content_not_of_where_holes_are(original: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copied(original, copy)
    (copy / "sparse").write_bytes((original / "sparse").read_bytes())
    one = Comparison(os.fsencode(original), os.fsencode(original))
    two = Comparison(os.fsencode(copy), os.fsencode(copy))

    list(one.tree()), list(two.tree())

    assert one.digest == two.digest
    assert one.tally.allocated < two.tally.allocated


def test_two_files_that_become_one_are_found(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for root in (one, two):
        root.mkdir()
        (root / "a").touch()
    os.link(two / "a", two / "b")
    (one / "b").touch()
    for root in (one, two):
        for path in (root / "a", root / "b", root):
            os.utime(path, ns=(0, 0))

    assert [each.what for each in compared(one, two)] == [What.LINKS]


def test_a_restored_link_is_never_followed(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for root in (one, two):
        root.mkdir()
    (one / "folder").mkdir()
    (one / "folder" / "file").write_bytes(b"x")
    (two / "folder").symlink_to(one / "folder")

    found = [each for each in compared(one, two) if each.path == b"folder"]

    assert [each.what for each in found] == [What.TYPE]


def test_a_large_sparse_file_costs_neither_time_nor_memory(tmp_path: Path) -> None:
    for root in (tmp_path / "one", tmp_path / "two"):
        root.mkdir()
        with (root / "huge").open("wb") as file:
            file.truncate(1 << 40)
        os.utime(root / "huge", ns=(0, 0))
        os.utime(root, ns=(0, 0))
    tracemalloc.start()

    found = compared(tmp_path / "one", tmp_path / "two")

    assert found == []
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()
