"""People and groups, as data for the activation that makes them."""

import json
from dataclasses import asdict, dataclass

from emily_infra.lab.system.config import Config


@dataclass(frozen=True)
class User:
    """An account; one without a number gets the next free one and keeps it."""

    name: str
    uid: int | None
    normal: bool
    group: str
    groups: tuple[str, ...]
    home: str
    shell: str
    comment: str
    password_file: str


def accounts(config: Config) -> str:
    """The accounts as JSON; root and Debian's own are there already."""
    users = [_user(name, options) for name, options in config.named("users", "users")]
    named = {user.group for user in users} | {g for user in users for g in user.groups}
    groups = {
        name: config.at("users", "groups", name, "gid")
        for name in sorted(named | set(config.below("users", "groups").values))
    }
    document = {"users": [asdict(user) for user in users if user.name != "root"], "groups": groups}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _user(name: str, options: Config) -> User:
    normal = options.flag("isNormalUser")
    uid = options.at("uid")
    home = f"/home/{name}" if normal else "/var/empty"
    return User(
        name=name,
        uid=uid if isinstance(uid, int) else None,
        normal=normal,
        group=options.text("group", default="users" if normal else "nogroup"),
        groups=tuple(options.texts("extraGroups")),
        home=options.text("home", default=home),
        shell="/bin/bash" if normal else "/usr/sbin/nologin",
        comment=options.text("description"),
        password_file=options.text("hashedPasswordFile"),
    )
