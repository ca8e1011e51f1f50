"""What a lab tells its machine: the archive that becomes /run/lab."""

import io
import tarfile
from collections.abc import Mapping

from emily_infra.lab.disks import udev_rules
from emily_infra.lab.keys import Pair
from emily_infra.lab.network import World
from emily_infra.lab.outside import names, script, tunnel_files
from emily_infra.spec.host import HostSpec

_PROGRAMS = frozenset({"boot"})


def files(spec: HostSpec, world: World, keys: Mapping[str, Pair]) -> dict[str, str]:
    """Everything that follows from host.yaml."""
    resolvers = names(spec, world)
    return {
        "disks.rules": udev_rules(spec),
        "outside": script(world),
        **({"dnsmasq.conf": resolvers} if resolvers else {}),
        **tunnel_files(spec, world, keys),
    }


def archive(content: Mapping[str, bytes]) -> bytes:
    """A tar archive of root's files that nobody else may read."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        folders = {name.rpartition("/")[0] for name in content} - {""}
        for name in sorted(folders):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o700
            tar.addfile(folder)
        for name, data in sorted(content.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o700 if name in _PROGRAMS else 0o600
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
