"""Second ZFS hosts: where snapshots are sent, and from whom they are taken in."""

from typing import Annotated

from pydantic import Field

from emily_infra.spec.base import Shaped, Strict
from emily_infra.spec.names import DatasetPath, PortNumber, SecretRef, SshKey, UserName
from emily_infra.spec.retention import SnapshotPolicy
from emily_infra.spec.units import Calendar, Duration, Rate

Address = Annotated[
    str,
    Shaped(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-f:]{0,40}:[0-9a-f:.]{1,40}",
           "the address of a machine", "a name or an IP address, such as barn.example.org"),
]  # fmt: skip


class Replica(Strict):
    """A second ZFS host that snapshots are sent to. Nothing there can be deleted from here."""

    address: Annotated[Address, Field(description="Where it is.")]
    port: Annotated[PortNumber, Field(description="Its SSH port.")] = 22
    user: Annotated[
        UserName, Field(description="Who is logged in as; root's key there runs one command only.")
    ] = "root"
    host_key: Annotated[
        SshKey, Field(description="Its SSH host key, from /etc/ssh/ssh_host_ed25519_key.pub there.")
    ]
    key: Annotated[SecretRef, Field(description="The file with this host's private SSH key.")]
    into: Annotated[
        DatasetPath, Field(description="The dataset there below which ours stand by their paths.")
    ]
    datasets: Annotated[
        tuple[DatasetPath, ...],
        Field(min_length=1, description="What is sent, each with the datasets below it."),
    ]
    schedule: Annotated[Calendar, Field(description="When it is sent.")] = Calendar.parse("03:00")
    upload_limit: Annotated[Rate | None, Field(description="Ceiling on the line.")] = None


class Receive(Strict):
    """A host that sends its snapshots here. How long they live is decided here."""

    key: Annotated[
        SshKey, Field(description="Its public SSH key; it may do nothing here but send.")
    ]
    into: Annotated[
        DatasetPath, Field(description="Where its datasets go, each below by its own path.")
    ]
    keep: Annotated[SnapshotPolicy, Field(description="How many of its snapshots live here.")]
    within: Annotated[
        Duration, Field(description="An alert fires here when nothing newer has come for so long.")
    ] = Duration.parse("2d")
