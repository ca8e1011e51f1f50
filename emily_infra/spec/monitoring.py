"""Metrics, rules and who is told."""

from typing import Annotated, Literal

from pydantic import Field

from emily_infra.spec.base import Strict
from emily_infra.spec.names import SecretRef, Word
from emily_infra.spec.units import Duration


class Grafana(Strict):
    """Dashboards."""

    admin_password: Annotated[SecretRef, Field(description="The file with the admin's password.")]
    secret_key: Annotated[
        SecretRef,
        Field(description="The file with the key that seals stored credentials; for life."),
    ]


class Monitoring(Strict):
    """Prometheus, its exporters, Alertmanager and Grafana on the host itself."""

    zone: Annotated[Word, Field(description="Where dashboards may be opened.")]
    retention: Annotated[
        Duration,
        Field(ge=Duration.parse("1d"), description="How long metrics are kept, 1d at least."),
    ] = Duration.parse("90d")
    interval: Annotated[
        Duration,
        Field(
            ge=Duration.parse("5s"),
            le=Duration.parse("2min"),
            description="How often exporters are read, 5s to 2min; a value lives for 5min.",
        ),
    ] = Duration.parse("30s")
    exporters: Annotated[
        Literal["loopback", "zone"],
        Field(description="zone also lets a Prometheus elsewhere in the zone read them."),
    ] = "loopback"
    grafana: Annotated[Grafana | None, Field(description="Dashboards; nothing means none.")] = None
    notify: Annotated[
        SecretRef | None, Field(description="The file with the URL that alerts are posted to.")
    ] = None
    heartbeat: Annotated[
        SecretRef | None,
        Field(
            description="The file with a URL elsewhere that is called every minute while all is "
            "well; whoever listens there raises the alarm when the calls stop."
        ),
    ] = None
