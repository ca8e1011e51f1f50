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
    retention: Annotated[Duration, Field(description="How long metrics are kept.")] = (
        Duration.parse("90d")
    )
    interval: Annotated[Duration, Field(description="How often exporters are read.")] = (
        Duration.parse("30s")
    )
    exporters: Annotated[
        Literal["loopback", "zone"],
        Field(description="zone also lets a Prometheus elsewhere in the zone read them."),
    ] = "loopback"
    grafana: Annotated[Grafana | None, Field(description="Dashboards; nothing means none.")] = None
    notify: Annotated[
        SecretRef | None, Field(description="The file with the URL that alerts are posted to.")
    ] = None
