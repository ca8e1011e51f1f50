"""Accounts as the generation describes them, in /etc/passwd, group and shadow."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .place import Place

_NORMAL = range(1000, 30000)
_SYSTEM = range(999, 399, -1)


def make(described: Mapping[str, Any], place: Place) -> None:
    """Add who is missing, keep everybody's number, and remove whom the last generation had."""
    state = place.at("/var/lib/nixos/accounts.json")
    known = json.loads(state.read_text()) if state.exists() else {"users": [], "groups": []}
    users = {user["name"]: user for user in described["users"]}
    gone_users = set(known["users"]) - users.keys()
    gone_groups = set(known["groups"]) - described["groups"].keys()
    groups = _groups(described, users, gone_groups, _read(place, "group"))
    passwd = _passwd(users, gone_users, groups, _read(place, "passwd"))
    shadow = _shadow(users, gone_users, place, _read(place, "shadow"))
    added_users = [name for name in users if name not in _names(place, "passwd")]
    added_groups = [name for name in described["groups"] if name not in _names(place, "group")]
    _write(place, "group", groups, 0o644)
    _write(place, "passwd", passwd, 0o644)
    _write(place, "shadow", shadow, 0o640)
    _homes(users, passwd, place)
    ours = {
        "users": sorted((set(known["users"]) & users.keys()) | set(added_users)),
        "groups": sorted((set(known["groups"]) & described["groups"].keys()) | set(added_groups)),
    }
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps(ours))


def _groups(
    described: Mapping[str, Any],
    users: Mapping[str, Any],
    gone: set[str],
    lines: Mapping[str, list[str]],
) -> dict[str, list[str]]:
    kept = {name: list(line) for name, line in lines.items() if name not in gone}
    for name, number in described["groups"].items():
        if name not in kept:
            taken = {int(line[2]) for line in kept.values()}
            gid = number or next(one for one in _SYSTEM if one not in taken)
            kept[name] = [name, "x", str(gid), ""]
        members = {member for member in kept[name][3].split(",") if member in users}
        members |= {user for user, one in users.items() if name in one["groups"]}
        absent = {user for user, one in users.items() if name not in one["groups"]}
        kept[name][3] = ",".join(sorted(members - absent))
    return kept


def _passwd(
    users: Mapping[str, Any],
    gone: set[str],
    groups: Mapping[str, list[str]],
    lines: Mapping[str, list[str]],
) -> dict[str, list[str]]:
    kept = {name: list(line) for name, line in lines.items() if name not in gone}
    for name, user in sorted(users.items()):
        taken = {int(line[2]) for line in kept.values()}
        free = _NORMAL if user["normal"] else _SYSTEM
        number = kept[name][2] if name in kept else user["uid"]
        uid = str(number or next(one for one in free if one not in taken))
        gid = groups[user["group"]][2]
        kept[name] = [name, "x", uid, gid, user["comment"], user["home"], user["shell"]]
    return kept


def _shadow(
    users: Mapping[str, Any], gone: set[str], place: Place, lines: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    kept = {name: list(line) for name, line in lines.items() if name not in gone}
    for name, user in sorted(users.items()):
        file = place.at(user["password_file"]) if user["password_file"] else None
        password = file.read_text().strip() if file and file.exists() else "!"
        kept[name] = [name, password, "1", "", "", "", "", "", ""]
    return kept


def _homes(users: Mapping[str, Any], passwd: Mapping[str, list[str]], place: Place) -> None:
    for name, user in users.items():
        home = place.at(user["home"])
        if user["normal"] and not home.exists():
            home.mkdir(mode=0o700, parents=True)
            if place.root == Path("/"):
                os.chown(home, int(passwd[name][2]), int(passwd[name][3]))


def _names(place: Place, file: str) -> set[str]:
    return set(_read(place, file))


def _read(place: Place, file: str) -> dict[str, list[str]]:
    path = place.at(f"/etc/{file}")
    lines = path.read_text().splitlines() if path.exists() else []
    return {line.split(":")[0]: line.split(":") for line in lines if ":" in line}


def _write(place: Place, file: str, lines: Mapping[str, list[str]], mode: int) -> None:
    path = place.at(f"/etc/{file}")
    text = "".join(f"{':'.join(line)}\n" for line in lines.values())
    if path.exists() and path.read_text() == text:
        return
    fresh = path.with_name(f"{file}.fresh")
    fresh.write_text(text)
    fresh.chmod(mode)
    if path.exists():
        os.chown(fresh, path.stat().st_uid, path.stat().st_gid)
    fresh.rename(path)
