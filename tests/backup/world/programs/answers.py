"""How a program of the world refuses, and how it reads its options."""

import sys
from collections.abc import Sequence

MISSING = "dataset does not exist"
EXISTS = "dataset already exists"
BUSY = "dataset is busy"
SUSPENDED = "pool I/O is currently suspended"
FULL = "out of space"


class Refused(Exception):
    """The program ends with STATUS and these words."""

    def __init__(self, words: str, status: int = 1) -> None:
        super().__init__(words)
        self.status = status


class Usage(Refused):
    """It was called in a way that it does not know."""

    def __init__(self, words: str, program: str = "zfs") -> None:
        super().__init__(
            f"{words}\nusage:\n\t{program} command args ...\n"
            f"\nFor further help on a command or topic, run: {program} help [<topic>]".lstrip(),
            2,
        )


def say(line: str) -> None:
    """One line of the answer; names may be any bytes."""
    sys.stdout.write(f"{line}\n")


def complain(line: str) -> None:
    """One line on the other stream."""
    sys.stderr.write(f"{line}\n")


class Options:
    """The options of a call: flags, values by letter in their order, and the other words."""

    def __init__(self, argv: Sequence[str], known: str, program: str = "zfs") -> None:
        self.flags: set[str] = set()
        self.values: list[tuple[str, str]] = []
        self.words: list[str] = []
        rest = list(argv)
        while rest and rest[0].startswith("-") and rest[0] != "-":
            word = rest.pop(0)
            if word == "--":
                break
            self._cluster(word[1:], rest, known, program)
        self.words = rest

    def _cluster(self, letters: str, rest: list[str], known: str, program: str) -> None:
        while letters:
            letter, letters = letters[0], letters[1:]
            place = known.find(letter)
            if place < 0 or letter == ":":
                raise Usage(f"invalid option '{letter}'", program)
            if not known.startswith(":", place + 1):
                self.flags.add(letter)
                continue
            if not letters and not rest:
                raise Usage(f"missing argument for '{letter}' option", program)
            self.values.append((letter, letters or rest.pop(0)))
            return

    def has(self, letter: str) -> bool:
        """Whether the flag was given."""
        return letter in self.flags

    def last(self, letter: str, default: str = "") -> str:
        """The value that was given last."""
        return [default, *self.all(letter)][-1]

    def all(self, letter: str) -> list[str]:
        """Every value of this letter."""
        return [value for name, value in self.values if name == letter]

    def pairs(self) -> dict[str, str]:
        """Every `-o name=value`."""
        found: dict[str, str] = {}
        for text in self.all("o"):
            name, sign, value = text.partition("=")
            if not sign:
                raise Refused("missing '=' for property=value argument", 1)
            if name in found:
                raise Refused(f"property '{name}' specified multiple times", 1)
            found[name] = value
        return found
