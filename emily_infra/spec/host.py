"""host.yaml as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from emily_infra.spec.backup import Backup, Reason
from emily_infra.spec.base import Shaped, Strict, shown, wrong
from emily_infra.spec.deploy import Deploy
from emily_infra.spec.monitoring import Monitoring
from emily_infra.spec.names import Date, FindingCode, Interface, MountPoint, SecretName
from emily_infra.spec.network import Network
from emily_infra.spec.runtime import Runtime
from emily_infra.spec.samba import Samba
from emily_infra.spec.source import Source
from emily_infra.spec.storage import Storage
from emily_infra.spec.system import System
from emily_infra.spec.units import Duration
from emily_infra.spec.wireguard import WireGuard


def _version(value: object) -> object:
    if type(value) is not int:  # true and 1.0 equal 1
        raise wrong(f"{shown(value)} is not a version of this format", "write emily: 1")
    return value


Place = Annotated[
    str,
    Shaped(r"[A-Za-z0-9_./:+-]+(?:\[\d+\][A-Za-z0-9_./:+-]*)*", "a place",
           "as check prints it, such as storage.pools.ember.special[0]"),
]  # fmt: skip


class Secret(Strict):
    """A secret by name. Its value is put on the host by sops-nix, agenix or by hand."""

    file: Annotated[
        MountPoint | None,
        Field(
            description="Where it is at run time. If not said: /run/secrets/NAME, and for a login "
            "password /run/secrets-for-users/NAME, which exists before accounts are made."
        ),
    ] = None
    rotate: Annotated[Duration, Field(description="How old it may grow.")] = Duration.parse("90d")

    @model_validator(mode="before")
    @classmethod
    def _never_a_value(cls, written: object) -> object:
        if isinstance(written, dict):
            return written
        message = "a secret is declared by its name; this looks like its value"
        hint = "write NAME: {} here; sops-nix, agenix or you put the value on the host"
        context = {"message": message, "hint": hint, "secret": True}
        raise PydanticCustomError("emily", "{message}", context)


class Acknowledgement(Strict):
    """A finding that a person has read and accepts for now. It stays listed."""

    code: Annotated[FindingCode, Field(description="Which finding.")]
    at: Annotated[Place, Field(description="Where; also covers what stands below.")]
    reason: Annotated[Reason, Field(description="Why this is acceptable.")]
    until: Annotated[Date | None, Field(description="The day it must be looked at again.")] = None


class HostSpec(Strict):
    """One host."""

    model_config = ConfigDict(defer_build=False)

    emily: Annotated[
        Literal[1], BeforeValidator(_version), Field(description="Version of this format.")
    ]
    system: Annotated[System, Field(description="The operating system.")]
    network: Annotated[Network, Field(description="Every way in and out.")]
    deploy: Annotated[Deploy, Field(description="How a deploy gets in, and proves itself.")]
    storage: Annotated[Storage, Field(description="Everything that holds data.")] = (
        Storage.model_construct()
    )
    wireguard: Annotated[
        dict[Interface, WireGuard], Field(max_length=100, description="Tunnels by interface.")
    ] = {}
    samba: Annotated[Samba | None, Field(description="Shares; nothing means no SMB server.")] = None
    backup: Annotated[Backup, Field(description="What is kept of the data.")] = (
        Backup.model_construct()
    )
    monitoring: Annotated[Monitoring | None, Field(description="Metrics and alerts.")] = None
    runtime: Annotated[Runtime | None, Field(description="The cognitive runtime.")] = None
    secrets: Annotated[dict[SecretName, Secret], Field(description="Every secret by name.")] = {}
    acknowledge: Annotated[
        tuple[Acknowledgement, ...], Field(description="Findings accepted for now.")
    ] = ()


@dataclass(frozen=True)
class Host:
    """A described host: its name (the folder's), what was written, and where."""

    name: str
    spec: HostSpec
    source: Source


Fleet = Mapping[str, Host]


def json_schema() -> dict[str, object]:
    """The JSON Schema of host.yaml (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **HostSpec.model_json_schema(by_alias=True),
        "title": "emily-infra host.yaml",
    }
