"""All sections together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emily_runtime.config import sections
from emily_runtime.messages import Language


def authority(host: str, port: int) -> str:
    """Host and port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True)
class Config:
    """What the process needs to know before it starts; a section that is left out has defaults."""

    file: Path = Path("runtime.toml")
    """Where it was read."""
    service: sections.Service = field(default_factory=sections.Service)
    alpha: sections.Alpha = field(default_factory=sections.Alpha)
    substrate: sections.Substrate = field(default_factory=sections.Substrate)
    workspace: sections.Workspace = field(default_factory=sections.Workspace)
    inference: sections.Inference = field(default_factory=sections.Inference)
    gflownet: sections.Gflownet = field(default_factory=sections.Gflownet)
    bus: sections.Bus = field(default_factory=sections.Bus)
    memory: sections.Memory = field(default_factory=sections.Memory)
    llm: sections.Llm = field(default_factory=sections.Llm)
    pressure: sections.Pressure = field(default_factory=sections.Pressure)
    providers: Mapping[str, str] = field(default_factory=dict)
    """The credential that holds each provider's key."""
    flags: Mapping[str, sections.Flag] = field(default_factory=dict)
    reflexes: Mapping[str, sections.Reflex] = field(default_factory=dict)
    """In their order of precedence, which is the file's."""

    @property
    def credentials(self) -> Mapping[str, str]:
        """The credential of each provider, and of postgresql where it has one."""
        password = self.memory.password
        return {**self.providers, **({"postgresql": password} if password else {})}

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return self.service.host

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self.service.port

    @property
    def language(self) -> Language:
        """In which it speaks to its operator."""
        return self.service.language

    @property
    def address(self) -> str:
        """Host and port in one."""
        return authority(self.host, self.port)


TABLES: Mapping[str, type] = {
    "service": sections.Service,
    "alpha": sections.Alpha,
    "substrate": sections.Substrate,
    "workspace": sections.Workspace,
    "inference": sections.Inference,
    "gflownet": sections.Gflownet,
    "bus": sections.Bus,
    "memory": sections.Memory,
    "llm": sections.Llm,
    "pressure": sections.Pressure,
    "providers": sections.Providers,
}
"""Sections with fixed settings."""
NAMED: Mapping[str, type] = {"flags": sections.Flag, "reflexes": sections.Reflex}
"""Sections of tables with names of one's own, such as [flags.NAME]."""
