"""`services.prometheus`, Alertmanager and the node exporter, with Debian's programs."""

import json

from emily_infra.lab.system.config import Config, Values
from emily_infra.lab.system.tree import package, token

_CONFIG, _RULES, _ALERTING = "prometheus.yml", "prometheus.rules", "alertmanager.yml"
_SEALED: Values = {
    "CapabilityBoundingSet": [""],
    "LockPersonality": True,
    "MemoryDenyWriteExecute": True,
    "NoNewPrivileges": True,
    "PrivateDevices": True,
    "PrivateTmp": True,
    "ProtectClock": True,
    "ProtectControlGroups": True,
    "ProtectHostname": True,
    "ProtectKernelLogs": True,
    "ProtectKernelModules": True,
    "ProtectKernelTunables": True,
    "RestrictNamespaces": True,
    "RestrictRealtime": True,
    "RestrictSUIDSGID": True,
    "SystemCallArchitectures": "native",
}


def lower(config: Config) -> Values:
    """The three services, as far as they are enabled; the other exporters are not in the lab."""
    options = config.below("services", "prometheus")
    services: Values = {}
    texts: Values = {}
    if options.flag("enable"):
        services["prometheus"] = _prometheus(options)
        texts |= {_CONFIG: _configuration(options), _RULES: "\n".join(options.texts("rules"))}
    if options.flag("alertmanager", "enable"):
        services["alertmanager"] = _alertmanager(options.below("alertmanager"))
        texts[_ALERTING] = json.dumps(options.at("alertmanager", "configuration"), sort_keys=True)
    if options.flag("exporters", "node", "enable"):
        services["prometheus-node-exporter"] = _node(options.below("exporters", "node"))
    accounts = {"prometheus": {"group": "prometheus", "isSystemUser": True}}
    groups: Values = {"prometheus": {}}
    if "prometheus-node-exporter" in services:
        accounts["node-exporter"] = {"group": "node-exporter", "isSystemUser": True}
        groups["node-exporter"] = {}
    if not services:
        return {}
    return {
        "lab": {"texts": texts},
        "systemd": {"services": services},
        "users": {"users": accounts, "groups": groups},
    }


def _configuration(options: Config) -> str:
    """JSON, which is YAML too; a null means that nothing was set."""
    return json.dumps(
        _set_only(
            {
                "global": options.at("globalConfig") or {},
                "alerting": {"alertmanagers": options.at("alertmanagers") or []},
                "scrape_configs": options.at("scrapeConfigs") or [],
                "rule_files": [token(_RULES)] if options.at("rules") else [],
            }
        ),
        sort_keys=True,
        indent=1,
    )


def _set_only(value: object) -> object:
    if isinstance(value, dict):
        return {key: _set_only(one) for key, one in value.items() if one is not None}
    return [_set_only(one) for one in value] if isinstance(value, list) else value


def _prometheus(options: Config) -> Values:
    arguments = [
        f"--config.file={token(_CONFIG)}",
        f"--web.listen-address={options.text('listenAddress')}:{options.text('port')}",
        "--storage.tsdb.path=/var/lib/prometheus2/data/",
    ]
    if retention := options.text("retentionTime"):
        arguments.append(f"--storage.tsdb.retention.time={retention}")
    return {
        "after": ["network.target"],
        "wantedBy": ["multi-user.target"],
        "serviceConfig": _SEALED
        | {
            "ExecStart": " ".join([f"{package('prometheus')}/bin/prometheus", *arguments]),
            "User": "prometheus",
            "Restart": "always",
            "StateDirectory": "prometheus2",
            "StateDirectoryMode": "0700",
            "WorkingDirectory": "/var/lib/prometheus2",
            "ProtectHome": True,
            "ProtectSystem": "full",
            "RestrictAddressFamilies": ["AF_INET", "AF_INET6", "AF_UNIX"],
        },
    }


def _alertmanager(options: Config) -> Values:
    arguments = [
        *options.texts("extraFlags"),
        f"--config.file {token(_ALERTING)}",
        f"--web.listen-address {options.text('listenAddress')}:{options.text('port')}",
        "--storage.path /var/lib/alertmanager",
    ]
    return {
        "after": ["network-online.target"],
        "wants": ["network-online.target"],
        "wantedBy": ["multi-user.target"],
        "serviceConfig": _SEALED
        | {
            "ExecStart": " ".join(
                [f"{package('prometheus-alertmanager')}/bin/alertmanager", *arguments]
            ),
            "ExecReload": f"{package('coreutils')}/bin/kill -HUP $MAINPID",
            "DynamicUser": True,
            "Restart": "always",
            "StateDirectory": "alertmanager",
            "WorkingDirectory": "/tmp",  # noqa: S108
            "ProtectSystem": "strict",
            "RestrictAddressFamilies": ["AF_INET", "AF_INET6", "AF_NETLINK"],
        },
    }


def _node(options: Config) -> Values:
    port = options.text("port", default="9100")
    arguments = [
        *(f"--collector.{name}" for name in options.texts("enabledCollectors")),
        *(f"--no-collector.{name}" for name in options.texts("disabledCollectors")),
        f"--web.listen-address={options.text('listenAddress')}:{port}",
        *options.texts("extraFlags"),
    ]
    program = f"{package('prometheus-node-exporter')}/bin/node_exporter"
    return {
        "after": ["network.target"],
        "wantedBy": ["multi-user.target"],
        "serviceConfig": _SEALED
        | {
            "ExecStart": " ".join([program, *arguments]),
            "User": "node-exporter",
            "Group": "node-exporter",
            "Restart": "always",
            "WorkingDirectory": "/tmp",  # noqa: S108
            "ProtectClock": False,
            "ProtectHome": True,
            "ProtectSystem": "strict",
            "RestrictAddressFamilies": ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"],
        },
    }
