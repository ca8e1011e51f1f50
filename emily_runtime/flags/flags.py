"""All flags, as they stand at this moment."""

from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import blake2b

from emily_runtime.flags.flag import BUCKETS, Flag, prefix
from emily_runtime.messages import Refused

MOST_UNKNOWN = 100
"""Names of flags that were asked for and do not exist: enough to find the mistake."""
_Rule = tuple[bytes, int, frozenset[str]]


class Flags:
    """Answers in well under a microsecond, and takes new flags over at once."""

    def __init__(self, flags: Iterable[Flag] = ()) -> None:
        self.unknown: set[str] = set()
        """Names that were asked for and do not exist."""
        self.all: Mapping[str, Flag] = {}
        self._rules: dict[str, _Rule] = {}
        self.reload(flags)

    def is_on(self, name: str, identity: str) -> bool:
        """Whether a feature is on for somebody; one that does not exist is off.

        Whoever has no identity is in no share but the whole: all of them would share one bucket.
        """
        rule = self._rules.get(name)
        if rule is None:
            return self._missed(name)
        before, share, identities = rule
        if identity in identities:
            return True
        if not identity:
            return share == BUCKETS
        # bucket(), written out: a call costs a fifth of it
        data = before + identity.encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(data, digest_size=8).digest(), "little") % BUCKETS < share

    def reload(self, flags: Iterable[Flag]) -> None:
        """Take these in place of all there were, whole or, where one is refused, not at all."""
        named = {flag.name: flag for flag in map(checked, flags)}
        self._rules = {name: _rule(flag) for name, flag in named.items()}
        self.all = named
        self.unknown.difference_update(named)

    def old(self, today: date) -> list[Flag]:
        """Those that should be decided and removed, oldest first."""
        return sorted(
            (flag for flag in self.all.values() if flag.is_old(today)),
            key=lambda flag: flag.since or today,
        )

    def _missed(self, name: str) -> bool:
        if len(self.unknown) < MOST_UNKNOWN:
            self.unknown.add(name)
        return False


def _rule(flag: Flag) -> _Rule:
    if flag.killed:
        return prefix(flag.name), 0, frozenset()
    return prefix(flag.name), flag.share, flag.identities


def checked(flag: Flag) -> Flag:
    """The flag, or Refused where it could not do what it says."""
    if not flag.name or "\0" in flag.name:
        raise Refused("EMY-6001", name=repr(flag.name))
    if not 0 <= flag.share <= BUCKETS:
        raise Refused("EMY-6002", name=flag.name, share=flag.share / 100)
    if not flag.owner:
        raise Refused("EMY-6003", name=flag.name, key="owner")
    if flag.since is None:
        raise Refused("EMY-6003", name=flag.name, key="since")
    return flag
