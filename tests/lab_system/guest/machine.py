"""A machine in a folder: enough of NixOS to switch, and a systemctl to talk to."""

import json
import os
import sys
from pathlib import Path

import pytest

from emily_infra.lab.system.guest.place import Place

_SYSTEMCTL = """#!{python}
import json, sys
from pathlib import Path

state = Path({state!r})
known = json.loads(state.read_text())
verb, *names = [word for word in sys.argv[1:] if not word.startswith("-")]
known["calls"].append([verb, *names])
status = 0
if verb == "show":
    for name, unit in known["units"].items():
        for key, value in dict(unit, Id=name).items():
            print(f"{{key}}={{value}}")
        print()
elif verb == "is-active":
    print(known["units"].get(names[0], {{}}).get("ActiveState", "inactive"))
for name in names if verb in ("start", "stop", "restart", "reload") else []:
    unit = known["units"].setdefault(name, {{}})
    if name in known["broken"] and verb != "stop":
        print(f"Job for {{name}} failed because it is broken.", file=sys.stderr)
        unit["ActiveState"], status = "failed", 1
    else:
        unit["ActiveState"] = "inactive" if verb == "stop" else "active"
        unit["FragmentPath"] = f"/etc/systemd/system/{{name}}"
if verb == "reset-failed":
    for unit in known["units"].values():
        if unit.get("ActiveState") == "failed":
            unit["ActiveState"] = "inactive"
state.write_text(json.dumps(known))
sys.exit(status)
"""


class FakeMachine:
    """A root folder with one running toplevel, whose systemd is a file of JSON."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = Place(root / "root")
        self.state = root / "systemd.json"
        self.state.write_text(json.dumps({"units": {}, "broken": [], "calls": []}))
        programs = root / "bin"
        programs.mkdir()
        self._program(
            programs / "systemctl", _SYSTEMCTL.format(python=sys.executable, state=str(self.state))
        )
        self._program(
            programs / "nft", "#!/bin/sh\nif grep -q nonsense; then echo bad >&2; exit 1; fi\n"
        )
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        monkeypatch.setenv("NIXOS_NO_SYNC", "1")
        for folder in ("etc", "run", "boot", "nix/var/nix/profiles", "usr/lib/systemd/system"):
            (self.place.root / folder).mkdir(parents=True)
        self.place.at("/etc/NIXOS").touch()
        self.number = 0

    def toplevel(self, name: str, *, units: dict[str, str] | None = None, **files: str) -> Path:
        """A toplevel with these units, and files beside the usual ones."""
        folder = self.place.root.parent / "store" / f"{name}-hash"
        usual = {
            "nixos-version": "26.05\n",
            "kernel-params": "quiet\n",
            "init-interface-version": "2",
            "switch-inhibitors": "{}",
            "etc/systemd/system.conf": "[Manager]\n",
            "emily/lab.json": json.dumps({"limit": 3, "editor": False, "ruleset": ""}),
            "linux-1/bzImage": "kernel",
            "linux-1/initrd": "initrd",
        }
        listed = {f"etc/systemd/system/{unit}": text for unit, text in (units or {}).items()}
        for path, text in {**usual, **listed, **files}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        (folder / "etc/systemd/system").mkdir(parents=True, exist_ok=True)
        for link, target in (("kernel", "bzImage"), ("initrd", "initrd")):
            (folder / link).symlink_to(folder / "linux-1" / target)
        etc = self.place.at("/etc/systemd")
        activate = (
            f"#!/bin/sh\nln -sfn $1/etc/systemd/system {etc}/system\n"
            f"ln -sfn $1 {self.place.current}\n"
        )
        self._program(folder / "activate", files.get("activate", activate))
        etc.mkdir(exist_ok=True)
        return folder

    def boot_into(self, toplevel: Path, *running: str) -> None:
        """Make a toplevel the current one, with these units running."""
        self.place.current.symlink_to(toplevel)
        self.place.units.symlink_to(toplevel / "etc/systemd/system")
        self.place.at("/etc/systemd/system.conf").symlink_to(toplevel / "etc/systemd/system.conf")
        known = json.loads(self.state.read_text())
        for name in running:
            path = f"/etc/systemd/system/{name}"
            known["units"][name] = {"ActiveState": "active", "FragmentPath": path}
        self.state.write_text(json.dumps(known))

    def set_profile(self, toplevel: Path) -> None:
        """A new generation of the profile."""
        self.number += 1
        link = self.place.profile.with_name(f"system-{self.number}-link")
        link.symlink_to(toplevel)
        self.place.profile.unlink(missing_ok=True)
        self.place.profile.symlink_to(link)

    def break_unit(self, name: str) -> None:
        """From now on this unit does not start."""
        known = json.loads(self.state.read_text())
        known["broken"].append(name)
        self.state.write_text(json.dumps(known))

    def calls(self, verb: str) -> list[list[str]]:
        """What systemctl was told with one verb."""
        return [
            names for done, *names in json.loads(self.state.read_text())["calls"] if done == verb
        ]

    def default(self) -> str:
        """The entry that the machine would boot."""
        text = self.place.at("/boot/loader/loader.conf").read_text()
        return next(line.split()[1] for line in text.splitlines() if line.startswith("default"))

    @staticmethod
    def _program(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)
