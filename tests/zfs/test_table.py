"""What is said of a pool."""

from collections.abc import Iterator

from emily_infra.spec.storage import Pool
from emily_infra.zfs.capacity import Capacity, capacity, predict
from emily_infra.zfs.table import Fact, filling, rows, survival
from tests.hosts import over, pebble, shipped
from tests.zfs.measured import mirror, on_disks, on_files, raidz


def ember(part: str = "") -> tuple[Pool, Capacity]:
    storage = over(shipped("ember"), part).spec.storage
    found = capacity(storage.pools["ember"], storage.disks)
    assert found
    return storage.pools["ember"], found


def said(facts: Iterator[Fact]) -> dict[str, str]:
    return dict(facts)


def test_the_lines_of_the_table_add_up_to_usable() -> None:
    lines = {row.what: row.amount for row in rows(*ember())}

    parts = ("raw", "parity", "padding", "rounding", "embedded log", "slop")
    assert sum(lines[part] for part in parts) == lines["usable"]


def test_every_dataset_stands_beside_what_fits_at_its_recordsize() -> None:
    quota = "storage: { pools: { ember: { datasets: { media: { quota: 40TB } } } } }"

    lines = {row.what: row.note for row in rows(*ember(quota))}

    assert lines["fits at 16KiB"] == "code, nix"
    assert lines["fits at 1MiB"] == "media (quota 40TB), models"


def test_special_is_told_as_a_range_and_with_its_end() -> None:
    pool, found = ember()

    lines = {row.what: row for row in rows(pool, found)}
    ends = said(filling(pool, found))

    assert lines["its metadata"].note == "254.8 GB or more, 80 % full"
    assert ends["small blocks spill"].startswith("once 92.2 TB to 105.2 TB")
    assert ends["metadata spill"] == "not before the pool is full"


def test_a_pool_without_special_is_spared_its_lines() -> None:
    storage = pebble().spec.storage
    found = capacity(storage.pools["tank"], storage.disks)

    assert found
    assert not list(filling(storage.pools["tank"], found))
    assert not [row for row in rows(storage.pools["tank"], found) if "special" in row.what]


def test_a_small_special_vdev_is_named_as_the_weak_place() -> None:
    told = said(survival(ember()[1]))

    assert told["may fail"] == "any 1 disk (special bears no more; data any 2)"
    assert told["at best"] == "5 disks: 2 + 2 of data, 1 of special"


def test_weak_data_is_named_beside_a_strong_special_vdev() -> None:
    told = said(survival(predict(on_disks(mirror(2), 7), on_files(mirror(3)))))

    assert told["may fail"] == "any 1 disk (data bears no more; special any 2)"
    assert told["at best"] == "9 disks: 7 x 1 of data, 2 of special"


def test_no_disk_of_a_stripe_may_fail() -> None:
    told = said(survival(predict(on_disks(mirror(1), 2))))

    assert told["may fail"] == "no disk"
    assert told["at best"] == "0 disks: 0 + 0 of data"


def test_even_pools_are_told_in_one_number() -> None:
    assert said(survival(predict(on_disks(raidz(3, 11)))))["may fail"] == "any 3 disks"
