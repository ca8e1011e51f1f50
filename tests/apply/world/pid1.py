"""Process 1 of a small world: boots an entry, then is the systemd that host.sh speaks to.

It really starts processes, tells their unit by their session, refuses a name that is taken, keeps
what failed until reset-failed, runs ExecStopPost whatever killed the main process, fires timers.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

REBOOT = 77
POWER_CUT = 78
Answer = tuple[int, str, str]
GUARD = "emily-boot-guard.service"


@dataclass
class Unit:
    argv: list[str]
    stop_post: list[str] = field(default_factory=list)
    state: str = "active"
    session: int = 0


class Manager:
    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.lock = threading.RLock()
        self.units: dict[str, Unit] = {}
        self.timers: dict[str, tuple[threading.Timer, Unit]] = {}
        self.failed: set[str] = set()
        self.journal: list[tuple[str, str]] = []
        self.stopping = False
        self.deaf = False
        self.reboots = True

    # --- units

    def spawn(self, name: str, argv: list[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", start_new_session=True, cwd="/",
            env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        threading.Thread(target=self.listen, args=(name, process), daemon=True).start()
        return process

    def listen(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            self.journal.append((name, line.rstrip("\n")))

    def start(self, name: str, unit: Unit) -> bool:
        with self.lock:
            if name in self.units or self.stopping:
                return False
            self.units[name] = unit
            process = self.spawn(name, unit.argv)
            unit.session, unit.state = process.pid, "active"
            threading.Thread(target=self.watch, args=(name, unit, process), daemon=True).start()
            return True

    def watch(self, name: str, unit: Unit, process: subprocess.Popen[str]) -> None:
        code = process.wait()
        unit.state = "deactivating"
        kill_session(unit.session, signal.SIGKILL)
        if unit.stop_post:
            after = self.spawn(name, unit.stop_post)
            unit.session = after.pid
            after.wait()
        with self.lock:
            unit.state = "failed" if code not in (0, -signal.SIGTERM) else "inactive"
            if unit.state == "inactive" or name == GUARD:
                self.units.pop(name, None)
        if name == GUARD and code < 0:  # as its unit says: Restart=on-abnormal
            self.start(name, unit)

    def stop(self, name: str) -> None:
        with self.lock:
            if name in self.timers:
                self.timers.pop(name)[0].cancel()
            self.failed.discard(name)
            unit = self.units.get(name)
        if unit and unit.state == "active":
            kill_session(unit.session, signal.SIGTERM)
        until = time.monotonic() + 2
        while unit and unit.state in ("active", "deactivating"):
            if time.monotonic() > until and unit.state == "active":
                kill_session(unit.session, signal.SIGKILL)
            time.sleep(0.01)

    # --- programs

    def systemd_run(self, words: list[str]) -> Answer:
        options = {}
        rest = list(words)
        properties = {}
        while rest and rest[0].startswith("--"):
            key, _, value = rest.pop(0)[2:].partition("=")
            if key == "property":
                name, _, value = value.partition("=")
                properties[name] = value
            options[key] = value
        name = options["unit"]
        unit = Unit(rest, properties.get("ExecStopPost", "").split())
        if self.deaf or self.stopping:
            return 1, "", "Failed to connect to bus\n"
        if "on-active" in options:
            return self.start_timer(name, float(options["on-active"]), unit)
        if not self.start(name, unit):
            return 1, "", f"Failed to start transient service unit: Unit {name} already loaded\n"
        return 0, "", ""

    def start_timer(self, name: str, seconds: float, unit: Unit) -> Answer:
        with self.lock:
            if f"{name}.timer" in self.timers or f"{name}.service" in self.units:
                return 1, "", "Failed to start transient timer unit: already loaded\n"
            timer = threading.Timer(seconds / self.speed, self.fire, args=(name,))
            timer.daemon = True
            self.timers[f"{name}.timer"] = timer, unit
            timer.start()
        return 0, "", ""

    def fire(self, name: str) -> None:
        with self.lock:
            _, unit = self.timers.pop(f"{name}.timer")
            self.start(f"{name}.service", unit)

    def state(self, name: str) -> str:
        with self.lock:
            if name in self.timers:
                return "active"
            if name in self.units:
                return self.units[name].state
            return "failed" if name in self.failed else "inactive"

    def systemctl(self, words: list[str]) -> Answer:
        flags = [w for w in words if w.startswith("-")]
        verb, *names = [w for w in words if not w.startswith("-") and w != "KILL"]
        if self.deaf:
            return 1, "", "Failed to connect to bus\n"
        if verb in ("start", "try-restart"):
            self.failed -= set(names)
            return 0, "", ""
        if verb.startswith("world-"):
            return self.spoil(verb.removeprefix("world-"), names)
        return getattr(self, f"do_{verb.replace('-', '_')}")(names, flags)  # type: ignore[no-any-return]

    def do_is_active(self, names: list[str], flags: list[str]) -> Answer:
        states = [self.state(name) for name in names]
        out = "" if "--quiet" in flags else "".join(f"{s}\n" for s in states)
        return (0 if "active" in states else 3), out, ""

    def do_stop(self, names: list[str], _: list[str]) -> Answer:
        for name in names:
            self.stop(name)
        return 0, "", ""

    def do_reset_failed(self, names: list[str], _: list[str]) -> Answer:
        self.failed -= set(names)
        for name in names:
            if name in self.units and self.units[name].state == "failed":
                del self.units[name]
        return 0, "", ""

    def do_kill(self, names: list[str], _: list[str]) -> Answer:
        for name in names:
            if name in self.units:
                kill_session(self.units[name].session, signal.SIGKILL)
        return 0, "", ""

    def do_list_units(self, _: list[str], __: list[str]) -> Answer:
        lingering = {name for name, unit in self.units.items() if unit.state == "failed"}
        failed = sorted(self.failed | lingering)
        return 0, "".join(f"{name} loaded failed failed {name}\n" for name in failed), ""

    def do_is_system_running(self, _: list[str], __: list[str]) -> Answer:
        return 0, "stopping\n" if self.stopping else "running\n", ""

    def do_show(self, names: list[str], _: list[str]) -> Answer:
        return 0, "\n".join(self.shown(name) for name in names), ""

    def do_reboot(self, _: list[str], __: list[str]) -> Answer:
        if not self.reboots:
            return 0, "", ""
        threading.Thread(target=self.reboot, daemon=True).start()
        return 0, "", ""

    def do_list_jobs(self, _: list[str], __: list[str]) -> Answer:
        return 0, "", ""

    def spoil(self, how: str, names: list[str]) -> Answer:
        """What a test does to the machine."""
        match how:
            case "fail":
                self.failed |= set(names)
            case "fire":
                self.fire("emily-dead-man")
            case "deaf":
                self.deaf = True
            case "no-reboot":
                self.reboots = False
            case "no-stop-post":
                for unit in self.units.values():
                    unit.stop_post = []
            case "cut":
                os._exit(POWER_CUT)
        return 0, "", ""

    def shown(self, name: str) -> str:
        state = self.state(name)
        return f"Id={name}\nLoadState=loaded\nActiveState={state}\nSubState={state}\nResult=\n" + (
            "InvocationID=1\nNRestarts=0\nTriggeredBy=\n"
        )

    def reboot(self) -> None:
        self.stopping = True
        for name in list(self.units):
            self.stop(name)
        os._exit(REBOOT)

    def journalctl(self, words: list[str]) -> Answer:
        options = {w[2:].partition("=")[0]: w.partition("=")[2] for w in words if w[:2] == "--"}
        units = {w.partition("=")[2] for w in words if w.startswith("_SYSTEMD_UNIT=")}
        end = len(self.journal)
        start = end if options.get("lines") == "0" else 0
        if found := re.search(r"i=(\d+)", options.get("after-cursor", "")):
            start = int(found[1])
        lines = [text for name, text in self.journal[start:end] if not units or name in units]
        return 0, "".join(f"{t}\n" for t in [*lines, f"-- cursor: s=world;i={end}"]), ""

    def answer(self, words: list[str]) -> Answer:
        program, *rest = words
        tools = {
            "systemctl": self.systemctl, "systemd-run": self.systemd_run,
            "journalctl": self.journalctl,
        }  # fmt: skip
        return tools[program](rest)


def kill_session(session: int, number: int) -> None:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != "1":
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session:
                    os.kill(int(entry.name), number)
            except (OSError, IndexError):
                continue


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def boot(root: Path, boot_id: str) -> None:
    mount("-t", "proc", "proc", "/proc")
    mount("-t", "tmpfs", "tmpfs", "/run")
    for inside, outside in (("/nix", "nix"), ("/var/lib", "lib"), ("/boot", "boot")):
        mount("--bind", str(root / outside), inside)
    Path("/run/boot_id").write_text(f"{boot_id}\n")
    mount("--bind", "/run/boot_id", "/proc/sys/kernel/random/boot_id")
    Path("/run/nixos").mkdir()
    toplevel = come_up()
    Path("/run/booted-system").symlink_to(toplevel)
    Path("/run/current-system").symlink_to(toplevel)


def come_up() -> str:
    """The toplevel of the first kernel that does not panic; each that does makes it start again."""
    for _ in range(3):
        toplevel = chosen_entry()
        if not Path("/var/lib/world", f"{Path(toplevel, 'name').read_text()}.panics").exists():
            return toplevel
        with Path("/var/lib/world/panics").open("a") as file:
            file.write(f"{toplevel}\n")
    raise SystemExit("it panics again and again")


def chosen_entry() -> str:
    """What the boot loader picks; like systemd-boot it forgets first what it is to boot once."""
    entries, once = Path("/boot/loader/entries"), Path("/var/lib/world/once")
    wished = [once.read_text().strip()] if once.exists() else []
    once.unlink(missing_ok=True)
    try:
        wished.append(Path("/boot/loader/loader.conf").read_text().split()[1])
        name = next(name for name in wished if (entries / name).exists())
        return re.search(r"init=(\S+)/init", (entries / name).read_text())[1]  # type: ignore[index]
    except (FileNotFoundError, StopIteration):
        return str(Path("/nix/var/nix/profiles/system").resolve())


def guard(manager: Manager, boot_id: str) -> None:
    pending = Path("/var/lib/emily/deploys/pending")
    wanted = Path("/run/booted-system/etc/systemd/system/emily-boot-guard.service")
    if Path("/var/lib/world/no-guard").exists():
        return
    if pending.exists() and wanted.exists() and boot_id not in (pending / "settings").read_text():
        argv = ["/bin/sh", f"{pending}/host.sh", "guard"]
        manager.start(GUARD, Unit(argv))


def reply(manager: Manager, line: str) -> None:
    who, _, asked = line.rstrip("\n").partition(" ")
    code, out, err = manager.answer(asked.split("\x01"))
    try:
        Path(f"/run/world/{who}").write_text(f"{code}\n{out or err}")
    except OSError:
        return  # who asked was killed meanwhile


def main() -> None:
    root, boot_id, speed = sys.argv[1:]
    boot(Path(root), boot_id)
    manager = Manager(float(speed))
    Path("/run/world").mkdir()
    os.mkfifo("/run/world/asked")
    guard(manager, boot_id)
    sys.stdout.write("up\n")
    sys.stdout.flush()
    # Opened for both ways, so that it never ends.
    with os.fdopen(os.open("/run/world/asked", os.O_RDWR), "r") as asked:
        while True:
            threading.Thread(target=reply, args=(manager, asked.readline()), daemon=True).start()


if __name__ == "__main__":
    main()
