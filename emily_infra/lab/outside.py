"""The world around a lab as the files that build it inside the machine, before systemd starts."""

from collections.abc import Iterator, Mapping

from emily_infra.lab.keys import Pair
from emily_infra.lab.network import Far, World
from emily_infra.spec.host import HostSpec
from emily_infra.spec.topology import secret_file

CONSOLE_PORT = 2222
_TAKE = """\
take() {
  for card in /sys/class/net/*; do
    if [ "$(cat "$card/address")" = "$1" ]; then
      ip link set "${card##*/}" netns outside name "$2"
    fi
  done
}
"""
_TABLE = 100
"""Of routing: the first for the operator, the following one for each tunnel."""


def script(world: World) -> str:
    """The shell program that builds `outside`."""
    tunnels = [line for n, far in enumerate(world.tunnels) for line in _tunnel(far, _TABLE + 1 + n)]
    lines = [
        _TAKE,
        # The kernel cannot load modules by itself yet: it would look for them in the ramdisk.
        f"modprobe --all {' '.join(_modules(world))}",
        f"take {world.mac} world",
        *(f"take {mac} peer{n}" for n, mac in enumerate(world.cards.values())),
        "ip -n outside -force -batch - <<'end'",
        *_wire(world),
        *_segments(world),
        *tunnels,
        *_claims(world),
        *_door(world),
        "end",
        *_peers(world),
        *_rules(world),
    ]
    return "\n".join(lines) + "\n"


def _modules(world: World) -> Iterator[str]:
    yield "virtio_net"
    if any(segment.tag is not None for segment in world.segments):
        yield "8021q"
    if world.tunnels:
        yield "wireguard"
    if world.door:
        yield from ("nf_tables", "nft_chain_nat", "nft_nat")


def _wire(world: World) -> Iterator[str]:
    yield "link set lo up"
    yield f"address add {world.here}/{world.wire.prefixlen} dev world"
    yield "link set world up"
    for number in range(len(world.cards)):
        # The host's packets may be larger than usual.
        yield f"link set peer{number} up mtu 9216"


def _segments(world: World) -> Iterator[str]:
    for segment in world.segments:
        if segment.tag is not None:
            card = segment.device.partition(".")[0]
            yield f"link add link {card} name {segment.device} type vlan id {segment.tag}"
            yield f"link set {segment.device} up"
        for own in segment.own:
            nodad = " nodad" if own.version == 6 else ""
            yield f"address add {own} dev {segment.device}{nodad}"


def _tunnel(far: Far, table: int) -> Iterator[str]:
    """Each end has a table of its own: all of them reach the same host, by different ways."""
    yield f"link add {far.device} type wireguard"
    yield f"link set {far.device} up mtu 1420"
    for own in far.own:
        yield f"address add {own}/{own.max_prefixlen} dev {far.device}"
        yield f"rule add from {own} lookup {table}"
    for host in far.host:
        yield f"route add {host} dev {far.device} table {table}"


def _claims(world: World) -> Iterator[str]:
    for address in world.claimed:
        yield f"address add {address}/{address.max_prefixlen} dev lo"


def _door(world: World) -> Iterator[str]:
    if world.door:
        yield f"rule add iif world lookup {_TABLE}"
        yield f"route add {world.door.address} dev {world.door.device} table {_TABLE}"


def _peers(world: World) -> Iterator[str]:
    for far in world.tunnels:
        file = f"/run/lab/tunnels/{far.device}"
        yield f"ip netns exec outside wg setconf {far.device} {file}"


def _rules(world: World) -> Iterator[str]:
    """The operator's port becomes the host's, and the operator's machine one of the right zone."""
    if not world.door:
        return
    door = world.door
    yield "ip netns exec outside sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'"
    yield "ip netns exec outside nft -f - <<'end'"
    yield "table ip lab {"
    yield "  chain arriving {"
    yield "    type nat hook prerouting priority dstnat"
    yield f"    iifname world tcp dport 22 dnat to {door.address}:{door.port}"
    yield "  }"
    yield "  chain leaving {"
    yield "    type nat hook postrouting priority srcnat"
    yield f"    iifname world ip daddr {door.address} snat to {door.operator}"
    yield "  }"
    yield "}"
    yield "end"


def tunnel_files(spec: HostSpec, world: World, keys: Mapping[str, Pair]) -> dict[str, str]:
    """Both ends' secrets: of the host as its secrets, of the peers for `wg setconf`."""
    files: dict[str, str] = {}
    for far in world.tunnels:
        tunnel = spec.wireguard[far.tunnel]
        peer = tunnel.peers[far.peer]
        shared = keys[f"{far.tunnel}/{far.peer}/shared"].private if peer.preshared_key else ""
        files[_secret(spec, tunnel.private_key)] = keys[far.tunnel].private + "\n"
        if peer.preshared_key:
            files[_secret(spec, peer.preshared_key)] = shared + "\n"
        files[f"tunnels/{far.device}"] = _setting(far, keys, shared)
    return files


def _secret(spec: HostSpec, reference: str) -> str:
    return "secrets/" + secret_file(spec, reference).strip("/").replace("/", "-")


def _setting(far: Far, keys: Mapping[str, Pair], shared: str) -> str:
    hosts = ", ".join(f"{host}/{host.max_prefixlen}" for host in far.host)
    lines = [
        "[Interface]",
        f"PrivateKey = {keys[f'{far.tunnel}/{far.peer}'].private}",
        f"ListenPort = {far.port}",
        "[Peer]",
        f"PublicKey = {keys[far.tunnel].public}",
        f"AllowedIPs = {hosts}",
        *([f"PresharedKey = {shared}"] if shared else []),
        *([f"Endpoint = {far.call}", "PersistentKeepalive = 25"] if far.call else []),
    ]
    return "\n".join(lines) + "\n"


def names(spec: HostSpec, world: World) -> str:
    """The configuration of dnsmasq, or nothing where the host asks nobody."""
    leased = [segment for segment in world.segments if segment.leases]
    if not (spec.network.dns or leased):
        return ""
    lines = ["no-resolv", "no-hosts", "bind-dynamic", "local=/#/", "user=root", "pid-file="]
    lines += [f"listen-address={address}" for address in spec.network.dns]
    lines += [f"address=/{name}/{address}" for name, address in world.names.items()]
    for segment in leased:
        lease = segment.leases
        assert lease, "filtered above"
        gateway = lease.network[1] if lease.ip != lease.network[1] else lease.network[2]
        mac = spec.network.uplinks[segment.card].mac
        lines += [
            f"interface={segment.device}",
            f"dhcp-range={lease.ip},{lease.ip},{lease.network.netmask},1h",
            f"dhcp-host={mac},{lease.ip}",
            f"dhcp-option=option:router,{gateway}",
            f"dhcp-option=option:dns-server,{gateway}",
            "dhcp-authoritative",
            "leasefile-ro",
        ]
    return "\n".join(dict.fromkeys(lines)) + "\n"
