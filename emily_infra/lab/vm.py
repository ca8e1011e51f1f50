"""One host's lab: a machine under QEMU that outlives the command that started it."""

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from emily_infra.lab import making, process
from emily_infra.lab.accelerator import accelerator
from emily_infra.lab.faults import NoAnswer, NotUp
from emily_infra.lab.image import Image, Tell, image
from emily_infra.lab.making import Plan
from emily_infra.lab.memory import LOOPBACK, Memory, fresh, keep, recall
from emily_infra.lab.network import world
from emily_infra.lab.places import Files, cache, locked
from emily_infra.lab.programs import FOR_A_MACHINE, need
from emily_infra.lab.system import Overrides
from emily_infra.machine import CommandFailed, Local, Target, Unreachable, connect
from emily_infra.spec.host import Host
from emily_infra.spec.load import is_host_name

_BOOT = 60.0
_AWAKE = 15.0
"""Seconds in which a machine answers that has booted; both are of a quick processor."""
_OFF = 20.0
_TRY = 5.0
_LONGEST_TRY = 30.0
_NOTHING = Path("/dev/null")
_DEAD = ("NOT BOOTABLE", "Kernel panic")


@dataclass(frozen=True)
class Status:
    """A lab at a glance."""

    name: str
    running: bool
    pid: int | None
    operator_port: int
    console_port: int
    accelerator: str
    boot_seconds: float
    generation: str
    exercised: tuple[str, ...]
    left_out: tuple[str, ...]


def silent(_: str) -> None:
    """Tell nobody."""


class Lab:
    """The lab of the host NAME."""

    def __init__(self, name: str) -> None:
        if not is_host_name(name):
            raise NotUp(f"{name!r} is no name of a host", hint="the hosts: ls hosts")
        self.name = name
        self._cache = cache()
        self.files = Files(self._cache / "labs" / name)
        self._lock = self._cache / "labs" / f".{name}.lock"

    @property
    def exists(self) -> bool:
        """Whether there is anything of it on disk."""
        return self.files.folder.exists()

    @property
    def running(self) -> bool:
        """Whether its machine has power."""
        return process.running(self.files.pid) is not None

    def must_run(self) -> None:
        """Raise NotUp where it has no power."""
        if not self.running:
            raise NotUp(f"the lab of {self.name} is off", hint=f"emily-infra lab up {self.name}")

    def target(self) -> Target:
        """The operator's way: through the host's own network."""
        memory = self._known()
        self.must_run()
        return self._target(memory, memory.user, memory.operator_port)

    def console(self) -> Target:
        """The way that nothing on the host's network can cut."""
        memory = self._known()
        return self._target(memory, "root", memory.console_port)

    def overrides(self) -> Overrides:
        """In what generations that are built for this lab differ from those for the host."""
        return making.overrides(self.files, self._known())

    def played(self, host: Host) -> Host:
        """HOST as it is here: other ends of its tunnels, and more time on an emulated processor."""
        return making.played(host, self._known())

    def up(self, plan: Plan, mirror: str | None = None, tell: Tell = silent) -> None:
        """Make what is missing, start the machine, and wait until the operator gets in."""
        with locked(self._lock):
            ran = self.running
            if ran:
                tell(f"the lab of {self.name} runs already")
            else:
                self._bring_up(plan, mirror, tell)
            if not self._known().prepared:
                self._prepare(plan, tell)
        seconds = _AWAKE if ran else _BOOT
        self._wait(self.target(), seconds, "from the operator's side")

    def start(self) -> None:
        """Give power to the machine as it was last started, with the same disks and ports."""
        with locked(self._lock):
            if not self.running:
                self._power_on(self._known())

    def down(self) -> None:
        """Switch the machine off in good order; after a while, by force."""
        with locked(self._lock):
            if not self.running:
                return
            with suppress(CommandFailed, Unreachable):
                self._ask(self.console(), "systemctl", "poweroff", "--no-block")
            process.ends(self.files.pid, _OFF * self._known().patience)
            process.kill(self.files.pid)

    def power_cut(self) -> None:
        """Take the power away at once."""
        with locked(self._lock):
            process.kill(self.files.pid)

    def reset(self) -> None:
        """Forget everything: the next `up` begins with blank disks and the first generation."""
        with locked(self._lock):
            process.kill(self.files.pid)
            shutil.rmtree(self.files.folder, ignore_errors=True)

    def status(self) -> Status:
        """What is known of it; asks the machine, if it runs, for its generation."""
        memory = self._known()
        generation = ""
        if self.running:
            with suppress(CommandFailed, Unreachable):
                link = "/nix/var/nix/profiles/system"
                generation = self._ask(self.console(), "readlink", link).strip()
        return Status(
            self.name, self.running, process.running(self.files.pid), memory.operator_port,
            memory.console_port, memory.accelerator, memory.boot_seconds, generation,
            memory.exercised, memory.left_out,
        )  # fmt: skip

    def _bring_up(self, plan: Plan, mirror: str | None, tell: Tell) -> None:
        need(FOR_A_MACHINE)
        self.files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        memory = recall(self.files)
        old = Image(self._cache / "images" / memory.image) if memory else None
        base = old if old and old.folder.exists() else image(self._cache, mirror, tell)
        if memory is None or memory.image != base.folder.name:
            shutil.rmtree(self.files.folder, ignore_errors=True)  # its root stood on another image
            self.files.folder.mkdir(mode=0o700)
            memory = fresh(base.folder.name)
        speed = accelerator(self._cache, base, tell)
        memory = making.make(self.files, memory.at_free_ports(), base, plan, tell)
        arguments = making.command(self.files, memory, base, speed, plan)
        memory = replace(
            memory,
            arguments=arguments,
            accelerator=speed.name,
            patience=speed.patience,
            prepared=False,
        )
        keep(self.files, memory)
        tell(f"starting the machine ({speed.name})")
        memory = self._power_on(memory)
        tell(f"it answers after {memory.boot_seconds:.0f} s")

    def _prepare(self, plan: Plan, tell: Tell) -> None:
        """What needs the machine itself; where it was cut short, the next `up` goes on."""
        memory = self._known()
        patience = _BOOT * memory.patience
        with suppress(CommandFailed):  # a degraded machine is none of our failures
            self._ask(self.console(), "systemctl", "is-system-running", "--wait", deadline=patience)
        tell("making partitions and pools")
        self._ask(self.console(), "sh", stdin=making.storage(plan), deadline=patience)
        content = making.given(self.files, memory, plan, world(plan.host.spec))
        making.write_config(self.files, content)
        keep(self.files, replace(memory, installed=True, prepared=True))

    def _power_on(self, memory: Memory) -> Memory:
        started = time.monotonic()
        process.kill(self.files.pid)  # only a stale file: nothing of it runs
        self.files.serial.unlink(missing_ok=True)
        Local().run(*memory.arguments, deadline=60)
        self._wait(self.console(), _BOOT, "on its console")
        memory = replace(memory, boot_seconds=round(time.monotonic() - started, 1))
        keep(self.files, memory)
        return memory

    def _wait(self, target: Target, seconds: float, where: str) -> None:
        """Until it lets somebody in."""
        limit = time.monotonic() + seconds * self._known().patience
        patience = _TRY
        while True:
            try:
                self._ask(target, "true", patience=patience)
            except Unreachable as error:
                if time.monotonic() > limit or self._is_dead():
                    raise self._no_answer(where, error) from error
                time.sleep(0.5)
                patience = min(patience * 1.5, _LONGEST_TRY)  # a busy machine takes its time
            else:
                return

    def _is_dead(self) -> bool:
        return not self.running or any(word in self._serial() for word in _DEAD)

    def _serial(self) -> str:
        return self.files.serial.read_text(errors="replace") if self.files.serial.exists() else ""

    def _no_answer(self, where: str, error: Exception) -> NoAnswer:
        last = "\n".join(f"  {line}" for line in self._serial().splitlines()[-8:])
        return NoAnswer(
            f"the lab of {self.name} does not answer {where}: {error}\n{last}",
            hint=f"look at it: emily-infra lab ssh {self.name} --console; or begin anew: "
            f"emily-infra lab reset {self.name}",
        )

    def _ask(
        self,
        target: Target,
        *argv: str,
        stdin: str = "",
        deadline: float = 60.0,
        patience: float = _LONGEST_TRY,
    ) -> str:
        machine = connect(target, deadline=patience)
        try:
            return machine.run(*argv, stdin=stdin, deadline=deadline)
        finally:
            machine.close()

    def _target(self, memory: Memory, user: str, port: int) -> Target:
        return Target(
            self.name, LOOPBACK, user, port, self.files.key, self.files.known_hosts,
            configuration=_NOTHING, slowness=max(1.0, memory.patience / making.HASTE),
        )  # fmt: skip

    def _known(self) -> Memory:
        memory = recall(self.files)
        if memory is None:
            hint = f"emily-infra lab up {self.name}"
            raise NotUp(f"{self.name} has no lab yet", hint=hint)
        return memory
