"""`services.samba`: smb.conf, and smbd under the names that NixOS gives it."""

from collections.abc import Mapping

from emily_infra.lab.system.config import Config, Values
from emily_infra.lab.system.tree import package, token

_SMB_CONF = "smb.conf"
_FOLDERS = ("/var/lock/samba", "/var/log/samba", "/var/cache/samba", "/var/lib/samba/private")


def lower(config: Config) -> Values:
    """The server and its target; nmbd and winbindd are never part of what we render."""
    if not config.flag("services", "samba", "enable"):
        return {}
    return {
        "lab": {"texts": {_SMB_CONF: smb_conf(config.below("services", "samba", "settings"))}},
        "environment": {"etc": {"samba/smb.conf": {"source": token(_SMB_CONF)}}},
        "systemd": {
            "slices": {"system-samba": {"description": "Samba (SMB Networking Protocol) Slice"}},
            "targets": {
                "samba": {
                    "description": "Samba Server",
                    "after": ["network.target"],
                    "wants": ["network-online.target"],
                    "wantedBy": ["multi-user.target"],
                }
            },
            "tmpfiles": {"rules": [f"d {folder} - - - - -" for folder in _FOLDERS]},
            "services": {"samba-smbd": _smbd()},
        },
    }


def smb_conf(settings: Config) -> str:
    """The sections of smb.conf, the global one first."""
    defaults = {"invalid users": ["root"], "security": "user"}
    sections = {
        "global": defaults | dict(settings.below("global").values),
        **{n: dict(o.values) for n, o in settings.named() if n != "global"},
    }
    return "\n".join(f"[{name}]\n{_lines(values)}" for name, values in sections.items())


def _lines(values: Mapping[str, object]) -> str:
    return "".join(f"{key}={_value(values[key])}\n" for key in sorted(values))


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(_value, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _smbd() -> Values:
    return {
        "description": "Samba SMB Daemon",
        "documentation": ["man:smbd(8)", "man:samba(7)", "man:smb.conf(5)"],
        "after": ["network.target", "network-online.target"],
        "wants": ["network-online.target"],
        "wantedBy": ["samba.target"],
        "partOf": ["samba.target"],
        "restartTriggers": [token(_SMB_CONF)],
        "unitConfig": {"RequiresMountsFor": "/var/lib/samba"},
        "serviceConfig": {
            "Type": "notify",
            "ExecStart": f"{package('samba')}/sbin/smbd --foreground --no-process-group",
            "ExecReload": f"{package('coreutils')}/bin/kill -HUP $MAINPID",
            "LimitCORE": "infinity",
            "LimitNOFILE": 16384,
            "PIDFile": "/run/samba/smbd.pid",
            "Slice": "system-samba.slice",
        },
    }
