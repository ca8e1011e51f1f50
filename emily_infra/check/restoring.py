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
)  # fmt: skip
