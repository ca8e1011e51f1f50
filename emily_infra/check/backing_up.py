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
        "BKP030", "restic is missing or too old",
        "From 0.17 on its exit codes tell a missing repository, a locked one and a wrong password "
        "apart, and `forget` no longer removes everything where a tag is mistyped. With an older "
        "one nothing is tried.",
        "apt-get install restic    # on Debian 12: 0.14", "emily-infra apply HOST    # brings it",
    ),
    _story(
        "BKP031", "There is no repository at the address",
        "The address is wrong, the disk or share is not mounted, or it was never made. A backup "
        "never makes one by itself: an unmounted disk would get a new, empty one.",
        "emily-infra backup offsite shed    # before init", "emily-infra backup init shed",
    ),
    _story(
        "BKP032", "Somebody else works on the repository",
        "restic's lock is in the repository itself. One that a dead run of this host left is "
        "removed, and told; one of a live process or of another host never is.",
        "restic unlock --remove-all", "emily-infra backup offsite shed    # waits for the lock",
    ),
    _story(
        "BKP033", "A repository does not open with its password",
        "The file of the secret is missing, empty, or holds another password. Nothing was written. "
        "Without a password that opens it, what is in a repository is lost: keep it in two places.",
        "touch /run/secrets/restic", "install -m 0600 /dev/stdin /run/secrets/restic",
    ),
    _story(
        "BKP034", "A repository is another one than before",
        "Each repository has an id of its own, which is remembered at the first contact. Another "
        "one at the same address means another disk, or that somebody made it anew.",
        "rm -r /mnt/shed; restic init; emily-infra backup offsite shed",
        "emily-infra backup init shed --adopt    # when it is meant to be another one",
    ),
    _story(
        "BKP035", "restic failed",
        "The last lines are its own. What was copied before is untouched by it, and the next run "
        "goes on where this one ended.",
        "emily-infra backup offsite shed    # and the server is down",
        "emily-infra backup verify shed    # once it answers",
    ),
    _story(
        "BKP036", "A repository is damaged",
        "`verify` read packs of the repository twice and they are not what was written. The files "
        "named cannot be restored from it in full. Make another copy first, then repair.",
        "restic prune    # on a damaged repository",
        "emily-infra backup restore PATH --from OTHER; restic repair packs ID",
    ),
    _story(
        "BKP037", "Nothing is forgotten",
        "Old copies go only when the newest one is complete and not old, when all that would go is "
        "this host's and this job's, and when something stays. Otherwise the bad copies would "
        "outlive the good ones. Where a repository is append-only, its keeper forgets.",
        "restic forget --keep-last 1 --group-by ''", "emily-infra backup prune shed --dry-run",
    ),
    _story(
        "BKP038", "A repository is there already",
        "init makes a new one only where there is none.",
        "emily-infra backup init shed    # a second time", "emily-infra backup init shed --adopt",
    ),
    _story(
        "BKP039", "The keys of a repository cannot be read",
        "The file of the environment secret has lines of KEY=value, as the storage provider names "
        "them. The address and the password of the repository stand elsewhere.",
        "aws_secret: hunter2", "AWS_SECRET_ACCESS_KEY=hunter2",
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
