"""Stories behind the codes of `emily-infra backup snapshot` and `backup expire`."""

from emily_infra.findings import Explanation, Severity


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "BKP010", "A pool takes no writes",
        "It is suspended, not imported, or has written nothing for a minute although an idle pool "
        "writes every five seconds. Its health may still say ONLINE. A command about it would hang "
        "and could not be killed, so that none is begun; other pools are served. Nothing is "
        "destroyed, and nothing that is missing from its list is taken for deleted.",
        "reboot    # with a suspended pool, the shutdown hangs too",
        "zpool status -v tank; dmesg | tail -50; zpool clear tank    # with its disks back",
    ),
    _story(
        "BKP011", "A snapshot could not be taken",
        "All datasets of a pool that are due are taken at one instant, or none. The message says "
        "what ZFS answered. A dataset that does not exist is left out, told and an error, for "
        "host.yaml promises to keep it. When the pool is full, old snapshots go first, and in that "
        "case even that did not make room.",
        "zfs destroy -r tank@old", "emily-infra backup expire --dry-run; zfs list -o space -r tank",
    ),
    _story(
        "BKP012", "Nothing of a dataset is destroyed until a person has looked",
        "A clock that jumped, or a slip of the pen in a policy, makes thousands of snapshots look "
        "too old. So nothing goes when a snapshot is from the future, when the clock says "
        "less than before, after ten of the policy's shortest periods (a day at least) without a "
        "run, or when more than a hundred or more than half would go at once. New snapshots are "
        "taken all the same. Each word holds for one run.",
        "emily-infra backup expire --clock-is-right --many    # without a look",
        "timedatectl; emily-infra backup expire --dry-run; emily-infra backup expire --many",
    ),
    _story(
        "BKP013", "A unit that makes data consistent did not end well",
        "Before a snapshot, quiesce starts a unit (a database dump, say) and waits for it until "
        "its deadline. With `required: true` its datasets then take no snapshot; otherwise they "
        "do, as after a power cut. What stands under `after` is started in any case, also by the "
        "next run when one was killed.",
        "quiesce: { ledger: { before: dump.service, datasets: [tank/db], deadline: 1s } }",
        "journalctl --unit dump.service --since -1h",
    ),
    _story(
        "BKP014", "Expired snapshots are in use",
        "They are mounted, so that ZFS does not destroy them; those beside them are gone. Ones "
        "that are held or cloned are passed over without a word, because that was somebody's "
        "wish. Nothing has to be done: they go in a later run, once nobody reads them.",
        "zfs destroy -f tank/home@emily-20260101T000000Z", "grep -l emily-2026 /proc/*/mountinfo",
    ),
)  # fmt: skip
