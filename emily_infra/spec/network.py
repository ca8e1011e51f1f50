"""Uplinks, zones and the policy between them."""

from ipaddress import IPv4Interface, IPv6Interface
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from emily_infra.spec.base import Strict, wrong
from emily_infra.spec.names import (
    Address,
    Interface,
    Mac,
    Mtu,
    OrAuto,
    OrDhcp,
    PortNumber,
    VlanId,
    Word,
)  # fmt: skip
from emily_infra.spec.units import Rate, Size


class Uplink(Strict):
    """A network card, found by its MAC address and given the name it has here."""

    mac: Annotated[Mac, Field(description="The permanent address on the card's label.")]
    speed: Annotated[Rate, Field(description="Line rate.")] = Rate.parse("1Gbps")
    mtu: Annotated[Mtu, Field(description="Largest packet.")] = 1500
    trunk: Annotated[
        bool, Field(description="You have seen that the switch port carries tagged VLANs.")
    ] = False


class Zone(Strict):
    """A network the host stands in: untagged or a VLAN on an uplink, or a WireGuard interface."""

    on: Annotated[Interface | None, Field(description="The uplink it arrives on.")] = None
    vlan: Annotated[VlanId | None, Field(description="Its tag; without one it is untagged.")] = None
    wireguard: Annotated[Interface | None, Field(description="Or the tunnel that it is.")] = None
    address: Annotated[OrDhcp | None, Field(description="IPv4 address/prefix, or dhcp.")] = None
    address6: Annotated[
        OrAuto | None,
        Field(description="IPv6 address/prefix, or auto for router advertisements."),
    ] = None
    gateway: Annotated[Address | None, Field(description="The IPv4 way to everywhere else.")] = None
    gateway6: Annotated[Address | None, Field(description="The IPv6 way to everywhere else.")] = (
        None
    )

    @model_validator(mode="after")
    def _one_carrier(self) -> Self:
        if (self.on is None) == (self.wireguard is None):
            raise wrong(
                "a zone is on an uplink or is a WireGuard tunnel", "write on: or wireguard:"
            )
        if self.wireguard and any(value for name, value in self if name != "wireguard"):
            raise wrong("a tunnel's address stands under wireguard", "keep only wireguard: here")
        if self.on and not (self.address or self.address6):
            raise wrong("the zone has no address", "write address: 10.10.0.2/24 or address: dhcp")
        return self

    @model_validator(mode="after")
    def _families_stay_apart(self) -> Self:
        fields = {"address": 4, "gateway": 4, "address6": 6, "gateway6": 6}
        for name, version in fields.items():
            value = getattr(self, name)
            if value and not isinstance(value, str) and value.version != version:
                other = name.removesuffix("6") if version == 6 else f"{name}6"
                raise wrong(f"{name} wants IPv{version}, not {value}", f"write {other}: {value}")
        return self

    @model_validator(mode="after")
    def _one_source_of_the_gateway(self) -> Self:
        if self.address == "dhcp" and self.gateway:
            raise wrong("address: dhcp brings its own gateway", "delete gateway: here")
        if self.address6 == "auto" and self.gateway6:
            raise wrong("address6: auto brings its own gateway", "delete gateway6: here")
        return self

    @property
    def static(self) -> tuple[IPv4Interface | IPv6Interface, ...]:
        """The addresses that stand in the file."""
        return tuple(a for a in (self.address, self.address6) if a and not isinstance(a, str))

    def leads_out(self, version: int) -> bool:
        """Whether the default route of an IP version goes through it."""
        if version == 4:
            return self.address == "dhcp" or self.gateway is not None
        return self.address6 == "auto" or self.gateway6 is not None

    @property
    def is_outward(self) -> bool:
        """Whether the world beyond the zone can be reached through it."""
        return self.leads_out(4) or self.leads_out(6)


class Allow(Strict):
    """One thing that is permitted; whatever no line permits is dropped."""

    source: Annotated[Word, Field(alias="from", description="The zone that may open a connection.")]
    to: Annotated[Word, Field(description="host, or the zone whose machines may be reached.")]
    services: Annotated[
        tuple[Word, ...],
        Field(min_length=1, description="Names of the port registry or of `services`."),
    ]


class Service(Strict):
    """Ports under a name."""

    tcp: Annotated[tuple[PortNumber, ...], Field(description="TCP ports.")] = ()
    udp: Annotated[tuple[PortNumber, ...], Field(description="UDP ports.")] = ()

    @model_validator(mode="after")
    def _some_port(self) -> Self:
        if not (self.tcp or self.udp):
            raise wrong("the service has no port", "write tcp: [8080] or udp: [8080]")
        return self


class Tuning(Strict):
    """TCP over long lines; none of it speeds up a tunnel beyond its line."""

    congestion: Annotated[
        Literal["bbr", "cubic"], Field(description="bbr ignores stray loss; version 1 ignores ECN.")
    ] = "bbr"
    ecn: Annotated[
        Literal["request", "accept", "off"],
        Field(description="request asks for marks on every connection, accept only answers."),
    ] = "accept"
    buffer: Annotated[
        Size, Field(ge=1 << 20, le=1 << 30, description="Ceiling of one connection's buffer.")
    ] = Size.parse("16MiB")


class Network(Strict):
    """Every way in and out."""

    uplinks: Annotated[dict[Interface, Uplink], Field(min_length=1, description="Network cards.")]
    zones: Annotated[dict[Word, Zone], Field(min_length=1, description="Networks by name.")]
    allow: Annotated[tuple[Allow, ...], Field(description="Everything else is dropped.")] = ()
    services: Annotated[
        dict[Word, Service], Field(description="Names for ports that the registry lacks.")
    ] = {}
    dns: Annotated[tuple[Address, ...], Field(description="Resolvers.")] = ()
    tuning: Annotated[Tuning, Field(description="TCP over long lines.")] = Tuning.model_construct()

    @model_validator(mode="after")
    def _no_zone_called_host(self) -> Self:
        if "host" in self.zones:
            raise wrong(
                "a zone cannot be called host", "in allow, host is the machine itself; rename it"
            )
        return self
