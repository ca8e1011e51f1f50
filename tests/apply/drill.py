"""A deploy in a small world: who is on the machine, what is wanted, what became of it."""

import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from emily_infra.apply.engine import Ways, deploy
from emily_infra.apply.host import program
from emily_infra.apply.line import DEPLOYS, VERDICTS
from emily_infra.apply.order import Kind, Order, Pace, Standing, Ticket, settings, ticket
from emily_infra.apply.progress import Event
from emily_infra.apply.schedule import Outcome
from tests.apply.world import World

PACE = Pace(activate=5, confirm=4, lease=3, poll=0.75, tick=0.1, health=2)

# Laid over the host's own program by its settings, which it reads last: what it does to the machine
# counts down, and at nothing the power goes, or its supervisor.
FAULTS = """
crash() {
  [ -s /var/lib/world/crash ] || return 0
  read -r left how </var/lib/world/crash
  if [ "$left" -gt 0 ]; then echo "$((left - 1)) $how" >/var/lib/world/crash; return 0; fi
  sed -i 1d /var/lib/world/crash
  if [ "$how" = power ]; then command systemctl world-cut; else kill -9 $$; fi
}
sync() { crash; command sync "$@"; }
mv() { crash; command mv "$@"; }
ln() { crash; command ln "$@"; }
rm() { crash; command rm "$@"; }
timeout() { crash; command timeout "$@"; }
bootctl() { crash; command bootctl "$@"; }
systemctl() { case $1 in stop | reset-failed | start) crash ;; esac; command systemctl "$@"; }
"""


class Quick:
    """The real time, five times as fast: what takes the host seconds costs the test less."""

    def now(self) -> float:
        return time.monotonic() * 5

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 5)


@dataclass
class Drill:
    """One machine and what is wanted of it."""

    world: World
    tops: dict[str, str]
    pace: Pace = PACE
    told: list[Event] = field(default_factory=list)

    def order(self, new: str = "new", kind: Kind = Kind.LIVE, **changes: object) -> Order:
        link = os.readlink(self.world.root / "nix/var/nix/profiles/system")
        old = Standing(
            self.world.link("/run/current-system"), int(link.split("-")[1]), self.world.boot_id
        )
        order = Order("box", self.tops[new], old, kind, pace=self.pace)
        return replace(order, **changes)  # type: ignore[arg-type]

    def ways(self, **changes: object) -> Ways:
        ways = Ways(
            lambda: self.world, lambda: self.world, lambda _, __: None, self.told.append, Quick()
        )
        return replace(ways, **changes)  # type: ignore[arg-type]

    def deploy(self, order: Order | None = None, ways: Ways | None = None) -> Outcome:
        return deploy(order or self.order(), ways or self.ways(), ticket_now())

    # The host's side alone, without the engine.

    def lease(self, order: Order | None = None, faults: str = "") -> "ByHand":
        hand = ByHand(self.world, ticket_now())
        text = settings(order or self.order(), hand.ticket)
        hand.place("settings", text + (FAULTS if faults else ""))
        hand.place("token", hand.ticket.token + "\n")
        hand.place("host.sh", program())
        if faults:
            (self.world.root / "lib/world").mkdir(exist_ok=True)
            (self.world.root / "lib/world/crash").write_text(faults)
        hand.say("lease")
        return hand

    # What became of it.

    def state(self) -> dict[str, str]:
        names = {top: name for name, top in self.tops.items()}
        entry = (self.world.root / "boot/loader/loader.conf").read_text().split()[1]
        init = (self.world.root / "boot/loader/entries" / entry).read_text()
        return {
            "current": names[self.world.link("/run/current-system")],
            "profile": names[self.world.link("/nix/var/nix/profiles/system")],
            "default": names[init.split("init=")[1].split("/init")[0]],
        }

    def menu(self) -> set[str]:
        """The generations that have a boot entry."""
        entries = (self.world.root / "boot/loader/entries").iterdir()
        return {entry.read_text().split()[2] for entry in entries}

    def generations(self) -> set[str]:
        links = (self.world.root / "nix/var/nix/profiles").glob("system-*-link")
        return {link.name.split("-")[1] for link in links}

    def is_wholly(self, name: str) -> bool:
        assert self.state() == dict.fromkeys(("current", "profile", "default"), name)
        return True

    def settled(self, patience: float = 15) -> str:
        """The verdict, once nobody is at work any more; and that nothing is left lying about."""
        units = ("emily-deploy.service", "emily-boot-guard.service", "emily-dead-man.service")
        end = time.monotonic() + patience
        while True:
            verdict = next((w for w in reversed(self.world.words) if w in VERDICTS), "")
            if verdict and not self._active(*units, "emily-switch.service"):
                break
            assert time.monotonic() < end, f"no verdict: {self.world.words}"
            time.sleep(0.05)
        assert self.world.words.count("rolling-back") <= 1
        if verdict != "lost":
            assert not (self.world.root / "lib/world/once").exists()
            assert self.menu() <= self.generations()
            assert not (self.world.root / "lib/emily/deploys/pending").is_symlink()
            assert not list((self.world.root / "nix/var/nix/gcroots/emily").iterdir())
            assert not self._active("emily-dead-man.timer")
            metrics = (self.world.root / "lib/emily/metrics/deploy.prom").read_text()
            assert f'verdict="{verdict}"' in metrics
        return verdict

    def _active(self, *units: str) -> bool:
        words = self.world.run("sh", "-c", f"systemctl is-active {shlex.join(units)} || :").split()
        return any(word in ("active", "deactivating") for word in words)


@dataclass
class ByHand:
    """A deploy whose operator's side is the test."""

    world: World
    ticket: Ticket

    def place(self, name: str, text: str) -> None:
        folder = self.world.root / f"lib/emily/deploys/{self.ticket.id}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    def say(self, word: str, *more: str, stdin: str | None = None) -> str:
        script = f"{DEPLOYS}/{self.ticket.id}/host.sh"
        secret = f"{self.ticket.token}\n" if stdin is None else stdin
        return self.world.run("sh", script, word, self.ticket.id, *more, stdin=secret)

    def until(self, *words: str, patience: float = 10) -> str:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if found := [word for word in words if word in self.world.words]:
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"none of {words} in {self.world.words}")


def ticket_now() -> Ticket:
    return ticket("tester", "here", datetime.now(UTC))


@contextmanager
def drill(template: Path, tops: dict[str, str], folder: Path) -> Iterator[Drill]:
    root = folder / "world"
    shutil.copytree(template, root, symlinks=True)
    world = World(root)
    try:
        yield Drill(world, tops)
    finally:
        world.shut_down()


def wait_for(truth: Callable[[], bool], patience: float = 10) -> None:
    end = time.monotonic() + patience
    while not truth():
        assert time.monotonic() < end
        time.sleep(0.02)
