"""Stories behind the codes of restoring: versions, drills, and the log of them."""

from emily_infra.findings import Explanation, Severity


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "BKP060", "The log of drills is not as it was written",
        "Each line holds the hash of the line before it and a signature by the host's own key. A "
        "line that was changed, moved or taken out breaks the chain there; the lines before it "
        "still stand. Somebody with root's rights did it, or a disk; the copies themselves are "
        "not affected, and the next drill adds to the log as ever.",
        "sed -i 's/differs/same/' /var/lib/emily/evidence/log.jsonl",
        "emily-infra backup evidence && emily-infra backup drill",
    ),
    _story(
        "BKP061", "A path is on no dataset of this host",
        "What is kept is kept by dataset, so a path outside of their mountpoints has no versions: "
        "the system itself comes from host.yaml. After a move, ask for the place where it was.",
        "emily-infra backup list /etc/passwd", "emily-infra backup list /srv/home/ada/thesis.odt",
    ),
    _story(
        "BKP062", "Nothing that was kept holds a path",
        "It was not there yet, not there any more, or has another name in the snapshots and copies "
        "that were asked. Look for the folder above it: its versions tell when something in it "
        "changed.",
        "emily-infra backup restore /srv/home/ada/thesis.od --to /tmp/thesis.odt",
        "emily-infra backup list /srv/home/ada",
    ),
    _story(
        "BKP063", "Something is where a restore was to write",
        "A restore never writes over what is there, which may be the only copy of the last hours. "
        "Give it a place of its own, compare, and move what you need; or say --overwrite, which "
        "replaces file by file and leaves the files that only the live folder has.",
        "emily-infra backup restore /srv/home/ada --to /srv/home/ada",
        "emily-infra backup restore /srv/home/ada --to /srv/home/ada-of-yesterday",
    ),
    _story(
        "BKP064", "What is to be restored does not fit",
        "The room is measured before the first byte is written. Restore less, to another pool, or "
        "make room; nothing was changed.",
        "emily-infra backup restore tank/media --to /root/media",
        "emily-infra backup restore tank/media --to cellar/media",
    ),
    _story(
        "BKP065", "What was restored is not what was kept",
        "Everything that is restored is counted or compared before it gets its name. It was "
        "removed again; what was there before is as it was. Try the same from another source, and "
        "have the repository read: a verify tells which of its packs are damaged.",
        "emily-infra backup restore /srv/home/ada --to /srv/new    # and again, and again",
        "emily-infra backup list /srv/home/ada; emily-infra backup verify s3",
    ),
    _story(
        "BKP068", "A repository cannot be shown as a folder",
        "restic shows its copies by FUSE, which needs the program fusermount3 and /dev/fuse. "
        "Snapshots of this host need neither, and nothing that restores does.",
        "emily-infra backup mount s3 /mnt/s3    # on a host without fuse3",
        "emily-infra backup restore /srv/home/ada --repository s3 --to /srv/home/ada-again",
    ),
    _story(
        "BKP069", "No database came of a dump",
        "A whole drill loads each dump of backup.checks into a PostgreSQL of its own, without a "
        "network, and asks it the question of the check. Its programs must be on the PATH and not "
        "be older than those that wrote the dump.",
        "checks: { ledger: { dump: /srv/db/ledger.sql, format: custom, query: select 1 } }",
        "checks: { ledger: { dump: /srv/db/ledger.sql, format: sql, query: select 1 } }",
    ),
)  # fmt: skip
