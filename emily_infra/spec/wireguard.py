"""Tunnels to other sites."""

from typing import Annotated

from pydantic import Field

from emily_infra.spec.base import Strict
from emily_infra.spec.names import (
    Endpoint,
    InterfaceAddress,
    Mtu,
    Network,
    PortNumber,
    SecretRef,
    WireGuardKey,
    Word,
)  # fmt: skip
from emily_infra.spec.units import Duration


class Peer(Strict):
    """The other end of a tunnel."""

    public_key: Annotated[WireGuardKey, Field(description="Who it is.")]
    allowed_ips: Annotated[
        tuple[Network, ...],
        Field(min_length=1, description="What it may send from, and what is routed to it."),
    ]
    endpoint: Annotated[
        Endpoint | None, Field(description="Where it listens; without one it must call first.")
    ] = None
    preshared_key: Annotated[SecretRef | None, Field(description="A second, symmetric key.")] = None
    keepalive: Annotated[
        Duration | None,
        Field(ge=1000, le=65_535_000, description="Keeps a NAT's mapping open; 25s suits most."),
    ] = None


class WireGuard(Strict):
    """A WireGuard interface."""

    address: Annotated[InterfaceAddress, Field(description="The host's address in the tunnel.")]
    private_key: Annotated[SecretRef, Field(description="The file with the private key.")]
    peers: Annotated[
        dict[Word, Peer], Field(min_length=1, max_length=500, description="Other ends by name.")
    ]
    port: Annotated[PortNumber, Field(description="UDP port it listens on.")] = 51820
    mtu: Annotated[Mtu, Field(description="1420 fits a 1500-byte line, IPv6 included.")] = 1420
    refresh: Annotated[
        Duration | None,
        Field(
            ge=10_000,
            description="How often endpoint names are looked up again; the kernel never does.",
        ),
    ] = None
