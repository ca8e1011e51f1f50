"""The monitoring module."""

from collections.abc import Mapping
from dataclasses import dataclass

from emily_infra.render.host_json import METRICS
from emily_infra.render.promises import promises
from emily_infra.spec import topology
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.monitoring import Monitoring
from emily_infra.spec.units import Duration

DASHBOARDS = "emily/dashboards"
OVERVIEW = f"{DASHBOARDS}/overview.json"
DATASOURCE = "emily-prometheus"
"""The name by which modules/overview.json asks for its data."""


@dataclass(frozen=True)
class Place:
    """A program that answers HTTP: the address it binds to, and where Prometheus finds it."""

    address: str
    port: int

    @property
    def target(self) -> str:
        """Address and port as a URL has them; a program on every address is found on loopback."""
        reached = topology.LOOPBACK if self.address in EVERY_ADDRESS else self.address
        return f"{bracketed(reached)}:{self.port}"


EVERY_ADDRESS = frozenset({topology.LEARNED, topology.EVERYWHERE})


def lower(host: Host) -> Mapping[str, object] | None:
    """What modules/monitoring.nix.j2 prints, or nothing where the host has no such part."""
    spec = host.spec
    if not spec.monitoring:
        return None
    places = _places(spec)
    return {
        "host": host.name,
        "retention": prometheus_duration(spec.monitoring.retention),
        "interval": prometheus_duration(spec.monitoring.interval),
        "places": places,
        "exporters": _exporters(spec, places),
        "tunnels": sorted(spec.wireguard),
        "scrapes": [
            *(_scrape(name, place, host.name) for name, place in places.items()),
            *_runtime(spec, host.name),
        ],
        "alertmanagers": [{"static_configs": [{"targets": [places["alertmanager"].target]}]}],
        "collectors": ["pressure", "systemd", "textfile", "zfs"],
        "node_flags": [
            "--collector.systemd.enable-restarts-metrics",
            f"--collector.textfile.directory={METRICS}",
        ],
        "metrics": METRICS,
        "pools": sorted(spec.storage.pools),
        "promises": promises(spec),
        "alerting": alerting(spec.monitoring),
        "credentials": _credentials(spec),
        "grafana": _grafana(host, places),
        "late": _late(places),
    }


def _places(spec: HostSpec) -> dict[str, Place]:
    """Every program of the monitoring, by the name of its scrape job."""
    return {
        listener.program.removesuffix(" exporter"): Place(listener.address, listener.port)
        for listener in topology.listeners(spec)
        if listener.place == ("monitoring",)
    }


def _exporters(spec: HostSpec, places: Mapping[str, Place]) -> dict[str, str]:
    """The address each exporter is told; all but wireguard's paste the port behind it."""
    return {
        name: places[name].address if name == "wireguard" else bracketed(places[name].address)
        for name in topology.exporters(spec)
    }


def _scrape(name: str, place: Place, host: str) -> dict[str, object]:
    # The name of the host, not an address and a port: it is what a person looks for in a graph.
    static = {"targets": [place.target], "labels": {"instance": host}}
    return {"job_name": name, "static_configs": [static]}


def _runtime(spec: HostSpec, host: str) -> list[dict[str, object]]:
    """The runtime's own figures; it tells them without a token to whoever is on the host."""
    if not spec.runtime:
        return []
    place = Place(topology.served_on(spec, spec.runtime.zone), spec.runtime.port)
    return [_scrape("runtime", place, host)]


def alerting(monitoring: Monitoring) -> dict[str, object]:
    """Alertmanager's configuration; a receiver without a URL keeps its alerts on the page only."""
    watchdog = {
        "matchers": ['alertname="Watchdog"'],
        "receiver": "heartbeat",
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "50s",  # under the group's interval, else every second one is skipped
    }
    critical = {
        "matchers": ['severity="critical"'],
        "receiver": "operators",
        "repeat_interval": "2h",
    }
    return {
        "route": {
            "receiver": "operators",
            "group_by": ["alertname"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [watchdog, critical],
        },
        "inhibit_rules": [
            {
                "source_matchers": ['severity="critical"'],
                "target_matchers": ['severity="warning"'],
                "equal": ["alertname", "job", "pool"],
            }
        ],
        "receivers": [
            _receiver("operators", monitoring.notify and "notify"),
            _receiver("heartbeat", monitoring.heartbeat and "heartbeat"),
        ],
    }


def _receiver(name: str, credential: str | None) -> dict[str, object]:
    if not credential:
        return {"name": name}
    url_file = f"/run/credentials/alertmanager.service/{credential}"
    return {
        "name": name,
        "webhook_configs": [{"url_file": url_file, "send_resolved": name == "operators"}],
    }


def _credentials(spec: HostSpec) -> list[str]:
    """What systemd hands to Alertmanager."""
    monitoring = spec.monitoring
    wanted = {"notify": monitoring and monitoring.notify,
              "heartbeat": monitoring and monitoring.heartbeat}  # fmt: skip
    return [f"{name}:{topology.secret_file(spec, ref)}" for name, ref in wanted.items() if ref]


@dataclass(frozen=True)
class Dashboards:
    """What Grafana is told."""

    address: str
    port: int
    domain: str
    credentials: list[str]
    datasources: list[dict[str, object]]
    home: str = f"/etc/{OVERVIEW}"
    home_entry: str = OVERVIEW
    providers: tuple[dict[str, object], ...] = (
        {"name": "emily", "options": {"path": f"/etc/{DASHBOARDS}"}, "allowUiUpdates": False},
    )


def _grafana(host: Host, places: Mapping[str, Place]) -> Dashboards | None:
    asked = host.spec.monitoring and host.spec.monitoring.grafana
    if not asked:
        return None
    place = places["grafana"]
    known = place.address not in {*EVERY_ADDRESS, topology.LOOPBACK}
    wanted = {"admin-password": asked.admin_password, "secret-key": asked.secret_key}
    return Dashboards(
        place.address,
        place.port,
        bracketed(place.address) if known else host.name,
        [f"{name}:{topology.secret_file(host.spec, ref)}" for name, ref in wanted.items()],
        [_datasource(places["prometheus"])],
    )


def _datasource(prometheus: Place) -> dict[str, object]:
    return {
        "name": "Prometheus",
        "uid": DATASOURCE,
        "type": "prometheus",
        "url": f"http://{prometheus.target}",
        "isDefault": True,
    }


def _late(places: Mapping[str, Place]) -> list[str]:
    """The units whose address appears only when its interface is up."""
    early = {*EVERY_ADDRESS, topology.LOOPBACK}
    units = {"grafana": "grafana"}
    return [
        units.get(name, f"prometheus-{name}-exporter")
        for name, place in places.items()
        if place.address not in early
    ]


def bracketed(address: str) -> str:
    """An address as it stands before a colon and a port."""
    return f"[{address}]" if ":" in address else address


def prometheus_duration(duration: Duration) -> str:
    """A duration as Prometheus writes it: minutes are m."""
    return str(duration).replace("min", "m")
