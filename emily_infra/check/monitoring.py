"""Rules about metrics, alerts and who is told."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Severity
from emily_infra.spec import topology
from emily_infra.spec.host import Host
from emily_infra.spec.policy import openings


@host_rule(
    "MON001",
    Severity.ERROR,
    wrong="monitoring: { zone: home, exporters: zone }\n"
    "network:\n"
    "  uplinks: { lab: { mac: '52:54:00:00:00:11' } }\n"
    "  zones: { lab: { on: lab, address: 10.9.0.2/24 } }\n"
    "  allow: [{ from: lab, to: host, services: [node-exporter] }]",
    right="monitoring: { zone: home, exporters: zone }\n"
    "network: { allow: [{ from: home, to: host, services: [ssh, node-exporter] }] }",
)
def exporters_are_for_the_monitoring_zone(host: Host) -> Iterator[Problem]:
    """An exporter can be read from a zone that is not the monitoring zone

    Exporters have no login. They tell whoever asks which units run, which disks fail, when backups
    happen and with whom tunnels are kept. With `exporters: zone` they listen on an address, and a
    line of network.allow decides who may come; let that be the zone where monitoring is at home.
    To read them from elsewhere, put a Prometheus into that zone or go through SSH.
    """
    monitoring = host.spec.monitoring
    if not monitoring or monitoring.exporters != "zone":
        return
    for name in topology.exporters(host.spec):
        for zone, service, place in openings(host.spec, topology.EXPORTERS[name]):
            if zone != monitoring.zone:
                yield Problem(
                    at=place,
                    message=f"{service} lets zone {zone} read the {name} exporter; monitoring is"
                    f" at home in {monitoring.zone}",
                    hint=f"remove {service} from this line, or write monitoring.zone: {zone}",
                )


@host_rule(
    "MON002",
    Severity.ERROR,
    wrong="monitoring: { zone: attic }",
    right="monitoring: { zone: home }",
    standing=Standing.CONTRADICTION,
)
def the_monitoring_zone_exists(host: Host) -> Iterator[Problem]:
    """monitoring.zone names a zone that the host does not stand in

    Dashboards and, if asked for, exporters bind to the host's address in this zone. Without such a
    zone there is no address to bind to, and nothing that could be rendered.
    """
    monitoring = host.spec.monitoring
    zones = sorted(host.spec.network.zones)
    if monitoring and monitoring.zone not in zones:
        yield Problem(
            at=("monitoring", "zone"),
            message=f"there is no zone {monitoring.zone}",
            hint=f"write one of network.zones: {', '.join(zones)}",
        )


@host_rule(
    "MON003",
    Severity.WARNING,
    wrong="monitoring: { zone: home }",
    right="monitoring: { zone: home, notify: secret:webhook }\nsecrets: { webhook: {} }",
)
def somebody_is_told(host: Host) -> Iterator[Problem]:
    """Alerts fire and nobody is told

    The host notices a failed disk or a stale backup within minutes, and writes it on a page that
    somebody has to open. Name a secret with the URL that alerts are posted to: a chat, ntfy, a
    pager. Its value never stands in this file, because such URLs are passwords.
    """
    if host.spec.monitoring and not host.spec.monitoring.notify:
        yield Problem(
            at=("monitoring",),
            message="alerts are kept on a page; nobody is told",
            hint="add notify: secret:alert-webhook here, and alert-webhook: {} under secrets",
        )


@host_rule(
    "MON004",
    Severity.NOTE,
    wrong="monitoring: null",
    right="monitoring: { zone: home }",
)
def pools_are_watched(host: Host) -> Iterator[Problem]:
    """Nothing watches the pools

    A mirror with one failed disk works as fast as before, and so does a RAID-Z2 with two. Without
    monitoring the first thing anybody notices is the disk after that, which takes the pool along.
    Another machine may well watch this host; `check` cannot see it, so this is only a note.
    """
    pools = sorted(host.spec.storage.pools)
    if pools and not host.spec.monitoring:
        zone = next(iter(sorted(host.spec.network.zones)))
        yield Problem(
            at=("storage", "pools"),
            message=f"nothing on this host watches {', '.join(pools)}; a failed disk goes unseen",
            hint=f"add: monitoring: {{ zone: {zone}, notify: secret:alert-webhook }}, and under "
            "secrets: alert-webhook: {}",
        )


@host_rule(
    "MON005",
    Severity.WARNING,
    wrong="monitoring:\n  zone: home\n"
    "  grafana: { admin_password: secret:admin, secret_key: secret:key }\n"
    "secrets: { admin: {}, key: {} }",
    right="monitoring:\n  zone: home\n"
    "  grafana: { admin_password: secret:admin, secret_key: secret:key }\n"
    "secrets: { admin: {}, key: {} }\n"
    "network: { allow: [{ from: home, to: host, services: [ssh, grafana] }] }",
)
def dashboards_can_be_opened(host: Host) -> Iterator[Problem]:
    """Dashboards are served where nobody may open them

    Grafana binds to the host's address in the monitoring zone, and network.allow lets nobody of
    that zone come to its port. It runs, takes memory, and every browser waits until it gives up.
    """
    monitoring = host.spec.monitoring
    if not monitoring or not monitoring.grafana or monitoring.zone not in host.spec.network.zones:
        return
    admitted = {opening.zone for opening in openings(host.spec, topology.GRAFANA_PORT)}
    if monitoring.zone not in admitted:
        yield Problem(
            at=("monitoring", "grafana"),
            message=f"no line of network.allow lets zone {monitoring.zone} reach grafana",
            hint=f"add to network.allow: - {{ from: {monitoring.zone}, to: host, "
            "services: [grafana] }",
        )
