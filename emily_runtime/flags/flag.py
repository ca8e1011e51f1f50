"""What a flag is, and in which of 10,000 buckets an identity falls."""

from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

BUCKETS = 10_000
"""A hundredth of a percent each."""
OLD_DAYS = 90
"""From this age on, a flag should be decided and removed."""


@dataclass(frozen=True)
class Flag:
    """A feature, how far it is rolled out, and who answers for it."""

    name: str
    share: int = 0
    """Buckets for which it is on, of 10,000."""
    identities: frozenset[str] = frozenset()
    """On for these, whatever the share."""
    killed: bool = False
    """Off for everybody, whatever else is said."""
    owner: str = ""
    since: date | None = None

    def age_days(self, today: date) -> int | None:
        """Days since it was introduced; None where nobody wrote that down."""
        return None if self.since is None else (today - self.since).days

    def is_old(self, today: date) -> bool:
        """Whether it has been there for so long that it should be removed."""
        age = self.age_days(today)
        return age is not None and age >= OLD_DAYS


def prefix(flag: str) -> bytes:
    """What is hashed before an identity. A flag's name holds no NUL, so no two flags share it."""
    return flag.encode() + b"\0"


def bucket(before: bytes, identity: str) -> int:
    """blake2b(flag, NUL, identity) mod 10,000.

    Hash of all 64 bits, so that the bias is below 1e-15. The same in every process, unlike the
    built-in hash; independent per flag; who is in at some share stays in at every larger one.
    """
    data = before + identity.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little") % BUCKETS
