"""Try many cases; what breaks is printed with the command that tries it again."""

import argparse
import faulthandler
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.bombs import BOMBS
from tests.fuzz.mutate import case
from tests.fuzz.run import MEBIBYTES, SECONDS, Outcome, run
from tests.hosts import ROOT, shipped
from tests.nixos import problems

LOST_AFTER = 30


def main() -> int:
    """The exit code: 0 when nothing broke."""
    given = _arguments()
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEBIBYTES << 20, 4 * MEBIBYTES << 20))
    for name in ("ember", "pebble"):  # nobody's first case pays for reading the templates
        run((ROOT / "hosts" / name / "host.yaml").read_bytes(), shipped(name).name)
    report = Report(given.evaluate)
    for title, raw in _inputs(given):
        faulthandler.dump_traceback_later(LOST_AFTER, exit=True)
        if given.keep:
            given.keep.write_bytes(raw)
        report.add(title, raw, run(raw))
    faulthandler.cancel_dump_traceback_later()
    report.parse_rendered()
    print(report.summary())
    return 1 if report.broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=8425)
    parser.add_argument("--cases", type=int, default=400, help="mutated files beside the bombs")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", help="one case by its number, or one bomb by its name")
    parser.add_argument("--evaluate", type=int, default=0, help="every how many rendered hosts")
    parser.add_argument("--keep", type=Path, help="write what is tried to this file")
    return parser.parse_args()


def _inputs(given: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    if given.only in BOMBS:
        yield given.only, BOMBS[given.only]()
    elif given.only:
        yield given.only, case(given.seed, int(given.only)).raw
    else:
        for name, bomb in BOMBS.items():
            yield name, bomb()
        for number in range(given.first, given.first + given.cases):
            yield f"{number}", case(given.seed, number).raw


class Report:
    """What has been seen so far."""

    def __init__(self, evaluate_every: int = 0) -> None:
        self.evaluate_every = evaluate_every
        self.stages: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.slowest = (0.0, "")
        self.mebibytes = 0
        self.broken: set[str] = set()
        self._texts: dict[str, str] = {}

    def add(self, title: str, raw: bytes, outcome: Outcome) -> None:
        self.stages[outcome.stage] += 1
        self.codes.update({finding.code for finding in outcome.findings})
        self.slowest = max(self.slowest, (outcome.seconds, title))
        self.mebibytes = max(self.mebibytes, outcome.mebibytes)
        self._texts |= {text: f"{title}: {name}" for name, text in outcome.files.items()}
        for fault in outcome.faults:
            self._breaks(title, f"{fault}\n({len(raw)} bytes)")
        every = self.evaluate_every
        if outcome.files and every and self.stages[outcome.stage] % every == 0:
            for fault in _misfits(outcome.files):
                self._breaks(title, fault)
        if len(self._texts) > 2_000:
            self.parse_rendered()

    def parse_rendered(self) -> None:
        """Whether Nix takes every rendered module for Nix."""
        with tempfile.TemporaryDirectory() as folder:
            files = {
                Path(folder) / f"{n}.nix": title for n, title in enumerate(self._texts.values())
            }
            for path, text in zip(files, self._texts, strict=True):
                path.write_text(text)
            for path, error in _not_nix(list(files)):
                self._breaks(files[path], error)
        self._texts.clear()

    def _breaks(self, title: str, what: str) -> None:
        self.broken.add(title)
        print(f"--- {title}\n{what}", flush=True)

    def summary(self) -> str:
        seen = ", ".join(f"{count} {stage}" for stage, count in sorted(self.stages.items()))
        return (
            f"{seen}; {len(self.codes)} codes; slowest {self.slowest[0]:.2f} s of {SECONDS} "
            f"({self.slowest[1]}); {self.mebibytes} of {MEBIBYTES} MiB; {len(self.broken)} broken"
        )


def _not_nix(files: list[Path]) -> Iterator[tuple[Path, str]]:
    if not files:
        return
    command = ["nix-instantiate", "--parse", *map(str, files)]
    if subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return
    for file in files:
        done = subprocess.run(
            [*command[:2], str(file)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            yield file, done.stderr


def _misfits(files: dict[str, str]) -> Iterator[str]:
    """What NixOS's options would refuse of the values that the modules set."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        try:
            found = problems(Path(folder))
        except AssertionError as error:
            if not re.search(r"attribute '.*' missing", str(error)):  # a package of their own
                yield str(error)
            return
    yield from (f"{file}: {problem}" for file, wrong in found.items() for problem in wrong)


if __name__ == "__main__":
    sys.exit(main())
