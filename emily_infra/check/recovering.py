"""Stories behind the codes of `emily-infra backup recover`."""

from emily_infra.findings import Explanation, Severity


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "BKP090", "A recovery found data that it did not bring",
        "recover writes into empty datasets, and into those that it began to fill itself: it marks "
        "them with the copy they are filled from (zfs get org.emily-infra:recovery). Anything else "
        "may be the only one of its kind, so that it stops before the first byte.",
        "rm -rf /srv/home/*    # to make room for the recovery",
        "mv /srv/home/found /root/found && emily-infra backup recover ember",
    ),
    _story(
        "BKP091", "A dataset cannot take its data back",
        "It does not exist, or is not mounted where its data belongs; then a restore would fill "
        "the file system around it, and hide behind the dataset once that is mounted.",
        "mkdir -p /srv/home && emily-infra backup recover ember",
        "zfs mount -a && emily-infra backup recover ember",
    ),
    _story(
        "BKP092", "The repository has no copy to recover from",
        "Copies are found by the name of the host and the tag of the repository. There is none, or "
        "none as old as --at asks, or the one that a recovery was begun from has been forgotten.",
        "emily-infra backup recover ember --at 1999-01-01",
        "emily-infra backup recover ember --repository shed --dry-run",
    ),
    _story(
        "BKP093", "What was restored is not what the copy holds",
        "restic compares every file after writing it, and a few are read from the repository a "
        "second time. Something differs: a disk, a memory or the repository is at fault. The "
        "dataset stays marked as begun, and the same command mends what is wrong.",
        "zfs set org.emily-infra:recovery=done tank/home", "emily-infra backup recover ember",
    ),
    _story(
        "BKP094", "A recovery that was begun is not gone on with",
        "It did not end, and the dataset got snapshots since. Whoever went live with what had come "
        "back would lose their work to the old copy. Where nobody did, and only the timer took "
        "snapshots, say --go-on.",
        "emily-infra backup recover ember    # weeks later",
        "emily-infra backup recover ember --dataset tank/db",
    ),
)  # fmt: skip
