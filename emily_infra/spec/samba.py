"""Shares over SMB 3.1.1."""

from typing import Annotated, Literal

from pydantic import Field

from emily_infra.spec.base import Shaped, Strict
from emily_infra.spec.names import DatasetPath, SecretRef, UserName, Word

ShareName = Annotated[
    str,
    Shaped(r"(?!(?:global|homes|printers|ipc)$)[a-z][a-z0-9_-]{0,30}", "a share's name",
           "lower-case; global, homes, printers and ipc have a meaning of their own"),
]  # fmt: skip


class Share(Strict):
    """A folder that clients can mount."""

    dataset: Annotated[DatasetPath, Field(description="The dataset whose mountpoint is shared.")]
    users: Annotated[tuple[UserName, ...], Field(description="Who may open it.")] = ()
    zones: Annotated[tuple[Word, ...], Field(min_length=1, description="From where.")]
    read_only: Annotated[bool, Field(description="Nobody writes.")] = False
    previous_versions: Annotated[
        bool, Field(description="Show snapshots to Windows as Previous Versions.")
    ] = True
    guest: Annotated[bool, Field(description="Anyone may open it; see SMB002.")] = False


class SambaUser(Strict):
    """A person known to Samba; who is no admin becomes a Unix user that cannot log in."""

    password: Annotated[SecretRef, Field(description="The file with the SMB password.")]


class Samba(Strict):
    """The SMB server. Old protocols, NetBIOS and guests are off."""

    shares: Annotated[dict[ShareName, Share], Field(min_length=1, description="Folders by name.")]
    users: Annotated[dict[UserName, SambaUser], Field(description="Who has an SMB password.")] = {}
    encryption: Annotated[
        Literal["required", "desired", "off"],
        Field(description="Per connection; inside a tunnel required encrypts twice."),
    ] = "desired"
    multichannel: Annotated[
        Literal["auto", "off"], Field(description="auto turns it on where it can work.")
    ] = "auto"
    workgroup: Annotated[
        str, Shaped(r"[A-Z][A-Z0-9-]{0,14}", "a workgroup", "1 to 15 capitals and digits"),
        Field(description="Shown by old clients."),
    ] = "WORKGROUP"  # fmt: skip
