"""Stories behind the codes of `emily-infra backup`, which runs on the host itself."""

from emily_infra.findings import Explanation, Severity


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "BKP000", "A backup command did not do its work",
        "The message names the dataset or the repository and what stood in the way. What was there "
        "before is as it was: no command of `backup` takes away what it could not replace.",
        "emily-infra backup offsite s3    # and then nobody reads what it said",
        "journalctl --unit emily-offsite-s3 --since -1d",
    ),
    _story(
        "BKP001", "A host's own description cannot be read",
        "Backup commands run on the host and read /etc/emily/host.json, which `apply` brings. It "
        "is missing on a machine that was never applied, and of another version where the host's "
        "emily-infra and the one that rendered it differ.",
        "emily-infra backup snapshot    # on the operator's laptop",
        "ssh root@ember emily-infra backup snapshot",
    ),
    _story(
        "BKP002", "Another run is at work on the same pool or repository",
        "One at a time: the lock belongs to a running process and is gone the moment that process "
        "is, whatever ended it. There is no file to delete.",
        "rm /run/emily/locks/repository-s3", "emily-infra backup status    # who is at work",
    ),
    _story(
        "BKP003", "Nothing of that name is backed up here",
        "Datasets, repositories and replicas are those of host.yaml, as it was last applied.",
        "emily-infra backup offsite s4", "emily-infra backup offsite s3",
    ),
    _story(
        "BKP050", "A run may have no mounts of its own",
        "What is copied is a snapshot, mounted where only this run sees it, so that nothing stays "
        "mounted when it is killed. That takes root's right to mount.",
        "sudo -u admin emily-infra backup offsite s3", "sudo emily-infra backup offsite s3",
    ),
    _story(
        "BKP051", "What is mounted is not what was to be copied",
        "Before a byte is read, every mount below the source folder is compared with the plan: "
        "each dataset's own snapshot, and no other. A folder that shows something else would be "
        "copied as if it were the data.",
        "mount --bind /srv /run/emily/snapshot/srv", "findmnt -R /run/emily/snapshot",
    ),
    _story(
        "BKP052", "There is nothing to copy",
        "Not one of the repository's datasets has a snapshot that can be read: none was taken yet, "
        "or their pools do not answer. An empty copy would count as one, so none is made.",
        "emily-infra backup offsite s3    # on the first day",
        "emily-infra backup snapshot && emily-infra backup offsite s3",
    ),
)  # fmt: skip
