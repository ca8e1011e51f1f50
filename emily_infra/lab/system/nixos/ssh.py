"""`services.openssh`: sshd.service as NixOS names it, and the keys of people in /etc/ssh."""

from collections.abc import Iterator

from emily_infra.lab.system.config import Config, Values
from emily_infra.lab.system.tree import package

_HOST_KEYS = ("/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_ed25519_key")
_DEFAULTS: Values = {
    "PermitRootLogin": "prohibit-password",
    "StrictModes": True,
    "UseDns": False,
    "UsePAM": True,
    "X11Forwarding": False,
    "PrintMotd": False,
    "LogLevel": "INFO",
    "GatewayPorts": "no",
}


def lower(config: Config) -> Values:
    """The daemon, its configuration, its host keys, and who may log in with which key."""
    if not config.flag("services", "openssh", "enable"):
        return {}
    text = "".join(_lines(config.below("services", "openssh")))
    return {
        "environment": {"etc": {"ssh/sshd_config": {"text": text}, **_authorized(config)}},
        "systemd": {"services": {"sshd": _daemon(text), "sshd-keygen": _keygen()}},
    }


def _lines(options: Config) -> Iterator[str]:
    yield "AddressFamily any\n"
    for port in options.texts("ports", default=("22",)):
        yield f"Port {port}\n"
    yield "Subsystem sftp /usr/lib/openssh/sftp-server\n"
    homes = (
        ["%h/.ssh/authorized_keys"] if options.flag("authorizedKeysInHomedir", default=True) else []
    )
    yield f"AuthorizedKeysFile {' '.join([*homes, '/etc/ssh/authorized_keys.d/%u'])}\n"
    for key in _HOST_KEYS:
        yield f"HostKey {key}\n"
    settings = _DEFAULTS | dict(options.below("settings").values)
    for name in sorted(settings):
        if (value := settings[name]) is not None:
            yield f"{name} {_value(name, value)}\n"


def _value(name: str, value: object) -> str:
    if isinstance(value, list):
        return (" " if name.startswith(("Allow", "Deny")) else ",").join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _authorized(config: Config) -> Values:
    return {
        f"ssh/authorized_keys.d/{name}": {"mode": "0444", "text": "".join(f"{k}\n" for k in keys)}
        for name, user in config.named("users", "users")
        if (keys := user.texts("openssh", "authorizedKeys", "keys"))
    }


def _daemon(text: str) -> Values:
    return {
        "description": "SSH Daemon",
        "wantedBy": ["multi-user.target"],
        "after": ["network.target", "sshd-keygen.service"],
        "wants": ["sshd-keygen.service"],
        "path": [package("openssh")],
        "stopIfChanged": False,
        "restartTriggers": [text],
        "serviceConfig": {
            "Type": "notify-reload",
            "ExecStart": f"{package('openssh')}/bin/sshd -D -f /etc/ssh/sshd_config",
            "KillMode": "process",
            "Restart": "always",
            # Debian's sshd separates its privileges here; the lab's console needs it as well.
            "RuntimeDirectory": "sshd",
            "RuntimeDirectoryMode": "0755",
            "RuntimeDirectoryPreserve": True,
        },
    }


def _keygen() -> Values:
    return {
        "description": "SSH Host Keys Generation",
        "wantedBy": ["multi-user.target"],
        "path": [package("openssh")],
        "unitConfig": {"ConditionFileNotEmpty": [f"|!{key}" for key in _HOST_KEYS]},
        "script": "ssh-keygen -A\n",
        "serviceConfig": {"Type": "oneshot"},
    }
