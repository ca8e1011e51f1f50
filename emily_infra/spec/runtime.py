"""The cognitive runtime as a service."""

from typing import Annotated, Literal

from pydantic import Field

from emily_infra.spec.base import Strict
from emily_infra.spec.names import PortNumber, SecretRef, Word
from emily_infra.spec.units import Size


class Runtime(Strict):
    """emily-runtime under systemd: one slice, a memory ceiling, a watchdog."""

    token: Annotated[SecretRef, Field(description="The file with the bearer token of the API.")]
    zone: Annotated[
        Word | None, Field(description="Where its API is served; nothing means loopback only.")
    ] = None
    port: Annotated[
        PortNumber,
        Field(ge=1024, description="TCP port of the API, 1024 at least: it has no privileges."),
    ] = 8470
    memory: Annotated[
        Size, Field(description="Hard ceiling; pressure begins at three quarters.")
    ] = Size.parse("4GiB")
    language: Annotated[Literal["en", "ko"], Field(description="Language of its messages.")] = "en"
    providers: Annotated[
        dict[Literal["anthropic", "openai"], SecretRef],
        Field(description="Files with API keys; without any it stays offline."),
    ] = {}
