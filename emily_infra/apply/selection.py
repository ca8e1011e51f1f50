"""Which hosts an apply goes to, and in which batches."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from emily_infra.errors import EmilyError
from emily_infra.spec.host import Fleet, Host

_PORTION = re.compile(r"([1-9]\d{0,4})(%?)")


class NoSuchTag(EmilyError):
    """A tag that no host has."""

    code = "APL030"


class NoSuchPortion(EmilyError):
    """A size of a batch that is neither a count nor a share."""

    code = "APL031"


def select(fleet: Fleet, names: Sequence[str], tags: Sequence[str]) -> tuple[Host, ...]:
    """The hosts by name in the order given, then those with any of the tags; nobody twice."""
    known = sorted({tag for host in fleet.values() for tag in host.spec.deploy.tags})
    for tag in tags:
        if tag not in known:
            near = difflib.get_close_matches(tag, known, 1)
            there = f"tags here: {', '.join(known) or 'none'}"
            raise NoSuchTag(
                f"no host has the tag {tag}", hint=f"did you mean {near[0]}?" if near else there
            )
    tagged = (
        name for name, host in sorted(fleet.items()) if set(tags) & set(host.spec.deploy.tags)
    )
    return tuple(fleet[name] for name in dict.fromkeys((*names, *tagged)))


@dataclass(frozen=True)
class Portion:
    """A number of hosts, or a share of them in percent."""

    amount: int
    unit: str = ""

    @classmethod
    def parse(cls, text: str) -> "Portion":
        """A portion as a person writes it: 3 or 25%."""
        found = _PORTION.fullmatch(text)
        if not found or (found[2] and int(found[1]) > 100):
            hint = "write a number of hosts such as 3, or a share such as 25%"
            raise NoSuchPortion(f"{text[:20]!r} is no number of hosts", hint=hint)
        return cls(int(found[1]), found[2])

    def of(self, total: int) -> int:
        """How many of so many hosts; a share is rounded up, so that it is never nobody."""
        return min(total, -(-total * self.amount // 100) if self.unit else self.amount)


def batches(
    names: Sequence[str], canary: Portion | None, size: Portion | None
) -> tuple[tuple[str, ...], ...]:
    """The canaries first, then the others in batches of one size; sizes count all hosts."""
    first = canary.of(len(names)) if canary else 0
    rest = tuple(names[first:])
    step = (size.of(len(names)) if size else 0) or max(len(rest), 1)
    found = [tuple(names[:first])]
    found += [rest[begin : begin + step] for begin in range(0, len(rest), step)]
    return tuple(batch for batch in found if batch)
