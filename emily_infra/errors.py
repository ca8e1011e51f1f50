"""The one family of errors that a person may meet."""

from typing import ClassVar

from emily_infra.findings import Explanation, Severity


class EmilyError(Exception):
    """A failure with a code to search for, a message that says what happened, and the next move."""

    code: ClassVar[str]

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "CLI001", "There is no such host here",
        "A host is a folder of hosts/ with a host.yaml in it. Commands look for hosts/ in the "
        "current folder and in those above it.",
        "emily-infra check peble", "emily-infra check pebble",
    ),
    _story(
        "CLI002", "No finding has this code",
        "A code is two or three letters and three digits, as check prints it behind the severity.",
        "emily-infra explain STO", "emily-infra explain STO004",
    ),
    _story(
        "CLI003", "A new host cannot begin here",
        "init never overwrites: the folder exists already, the name is no host name, or the disk "
        "refuses to be written.",
        "emily-infra init My_Box", "emily-infra init my-box",
    ),
    _story(
        "RND001", "What was rendered cannot be written",
        "generated/ is replaced as a whole or not at all: what stood there before is unchanged. "
        "The disk is full, the folder is not yours, or a file has its name.",
        "touch hosts/pebble/generated; emily-infra render pebble", "emily-infra render pebble",
    ),
)  # fmt: skip
