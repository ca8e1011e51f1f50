"""What a repository's copies are for whoever watches: samples of its ledger."""

from collections.abc import Iterator

from emily_infra.backup.here import Here
from emily_infra.backup.ledger import Ledger
from emily_infra.backup.metrics import Sample
from emily_infra.backup.metrics import publish as hand_over


def publish(here: Here, repository: str, ledger: Ledger) -> None:
    """Replace the figures of one repository's copies."""
    hand_over(here, f"offsite-{repository}", figures(repository, ledger))


def figures(repository: str, ledger: Ledger) -> Iterator[Sample]:
    """The samples of one repository; what is not known has none."""
    labels = {"repository": repository}
    newest, good = ledger.newest, ledger.good
    if good:
        # Of what was copied, not of the copying: what was written since is in no copy.
        moment = good.oldest.timestamp()
        yield Sample("emily_backup_last_success_timestamp_seconds", moment, labels)
    if newest:
        yield Sample("emily_backup_files_failed", newest.unreadable, labels)
        yield Sample("emily_backup_files", newest.counted.files, labels)
        yield Sample("emily_backup_bytes", newest.counted.bytes, labels)
        yield Sample("emily_backup_added_bytes", newest.counted.added, labels)
        yield Sample("emily_backup_duration_seconds", newest.seconds, labels)
    whole = newest is not None and newest.verdict == "good" and ledger.unfinished is None
    yield Sample("emily_backup_incomplete", 0 if whole else 1, labels)
    if ledger.stored is not None:
        yield Sample("emily_repository_bytes", ledger.stored, labels)
