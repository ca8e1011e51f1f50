"""Stories behind the codes of `emily-infra backup replicate` and of its far side."""

from emily_infra.findings import Explanation, Severity


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "BKP080", "The far side of a replica does not take that in",
        "A sender's key can have four things done on the far side: tell the state of its own "
        "datasets, take a snapshot in, finish that, and give up what came in by half. It looks at "
        "a stream before a byte of it is taken: one snapshot, plain, the one that was announced, "
        "not from the future and not older than what it follows.",
        "ssh -i /run/secrets/barn root@barn zfs destroy vault/ember/tank/home@old",
        "ssh root@barn    # with a key of your own",
    ),
    _story(
        "BKP081", "Both ends of a replica have nothing to build on",
        "An incremental copy adds to the newest snapshot over there, which this host must know as "
        "a snapshot or by the bookmark that it left. Somebody took snapshots of the copy, or "
        "the dataset here was made anew. Nothing over there is ever overwritten to make it fit: "
        "rename the old copy there, look at it in peace, and send the dataset anew.",
        "zfs receive -F vault/ember/tank/home",
        "zfs rename vault/ember/tank/home vault/ember/tank/home-before    # on the far side",
    ),
    _story(
        "BKP082", "An encrypted dataset would lie open, or its key is not loaded",
        "Data is read here and written there, each under its own key: so a copy survives a lost "
        "key, and the faults of raw encrypted streams don't touch it. What is encrypted here is "
        "sent only into a dataset that is encrypted there, with its key loaded; that is asked "
        "before the first byte, and looked at once more on the far side.",
        "zfs create vault/ember",
        "zfs create -o encryption=on -o keyformat=passphrase vault/ember    # on the far side",
    ),
    _story(
        "BKP083", "The far side has less room than the next snapshot takes",
        "It is asked before anything is sent. A quota counts, which is how a far side protects "
        "itself from a sender. What is kept there is chosen there, under backup.receives.",
        "zfs set quota=100G vault/ember    # and 200 GB to come",
        "zfs list -o space vault/ember",
    ),
    _story(
        "BKP084", "The far side of a replica was reached, and failed",
        "The message is its own. What had arrived is kept there and the next run goes on with it, "
        "unless the message says otherwise.",
        "emily-infra backup replicate barn    # again and again",
        "ssh root@barn zpool status -x",
    ),
    _story(
        "BKP085", "The far side of a replica cannot be reached",
        "No connection, a host key that is not the one of host.yaml, or a key that is not taken "
        "there. The host key is compared and never learnt: a machine in between gets nothing. The "
        "hold that keeps the last common snapshot here is given up after 14 periods, and a "
        "bookmark serves in its place.",
        "ssh-keyscan barn.example.org    # and trusting whoever answers",
        "cat /etc/ssh/ssh_host_ed25519_key.pub    # on its console",
    ),
    _story(
        "BKP086", "The two ends of a replica are told different things",
        "into is written on both hosts, and both need a version that knows the other's words. A "
        "dataset below one that did not get there waits, for it could not be made room for later.",
        "replicas: { barn: { into: vault/ember } }    # and vault/box in barn's host.yaml",
        "receives: { ember: { into: vault/ember } }",
    ),
    _story(
        "BKP087", "What was sent before is not on the far side any more",
        "A bookmark says that this dataset got there once. It was renamed here, so that its copy "
        "stands under the old name, or somebody took the copy away. To send terabytes again is a "
        "decision: rename the copy, or ask for all of it.",
        "zfs rename tank/home tank/people    # and the far side is not told",
        "zfs rename vault/ember/tank/home vault/ember/tank/people    # on the far side",
    ),
    _story(
        "BKP088", "Not every dataset got to the far side",
        "One that fails does not keep the others back. Each has its own message above this one, "
        "and its own age in `backup status`; the alert counts age over there, not runs here.",
        "emily-infra backup replicate barn || true",
        "emily-infra backup status",
    ),
    _story(
        "BKP089", "A dataset has nothing that could be sent",
        "Only snapshots that this program took are sent: others may go at any time. There is none "
        "yet, the one to be sent was destroyed meanwhile, or the dataset itself is gone.",
        "emily-infra backup replicate barn    # on the day of installation",
        "emily-infra backup snapshot && emily-infra backup replicate barn",
    ),
)  # fmt: skip
