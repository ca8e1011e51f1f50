"""The effective ssh configuration for one target, as OpenSSH itself works it out."""

import getpass
import os
import re
import shlex
import socket
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emily_infra.machine.deadline import Deadline
from emily_infra.machine.faults import CommandFailed, Unreachable
from emily_infra.machine.local import Local
from emily_infra.machine.target import Target

_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
_SSH_PORT = 22


@dataclass(frozen=True)
class Settings:
    """What `ssh -G` says, as far as a connection needs it."""

    target: Target
    host: str
    port: int
    user: str
    alias: str
    known_hosts: tuple[Path, ...]
    identities: tuple[Path, ...]
    only_identities: bool
    agent: Path | None
    proxy: str
    family: socket.AddressFamily
    source: str
    patience: float

    @property
    def known_as(self) -> str:
        """The name under which known_hosts has the host."""
        if self.alias:
            return self.alias
        return self.host if self.port == _SSH_PORT else f"[{self.host}]:{self.port}"

    @property
    def place(self) -> str:
        """Where this leads, for messages."""
        return f"{self.user}@{self.host} port {self.port}"


def effective(target: Target, clock: Deadline) -> Settings:
    """The settings for TARGET; explicit values go before the configuration."""
    return parsed(target, _asked(target, clock), os.environ)


def _asked(target: Target, clock: Deadline) -> str:
    try:
        # `Match exec` runs commands of the operator's: they get the time that there is.
        return Local().run(
            "ssh", "-G", *target.options(), "--", target.address, deadline=clock.left()
        )
    except CommandFailed as error:
        raise Unreachable(
            f"{target.name}: ssh cannot work out how to reach {target.address}\n"
            f"  {error.stderr.strip()}",
            hint=error.hint,
        ) from error


def parsed(target: Target, answer: str, environment: Mapping[str, str]) -> Settings:
    """Settings from the ANSWER of `ssh -G`."""
    values = _Values(answer)
    tokens = _tokens(target, values)
    return Settings(
        target=target,
        host=values.one("hostname", target.address),
        port=int(values.one("port", "22")),
        user=values.one("user", target.user),
        alias=values.one("hostkeyalias"),
        known_hosts=_known_hosts(target, values),
        identities=tuple(
            Path(_expanded(text, tokens, environment)).expanduser()
            for text in values.all("identityfile")
        ),
        only_identities=values.one("identitiesonly") == "yes",
        agent=_agent(values, environment),
        proxy=_proxy(target, values, tokens),
        family=_FAMILIES.get(values.one("addressfamily"), socket.AF_UNSPEC),
        source=values.one("bindaddress"),
        patience=float(values.one("connecttimeout", "inf")),
    )


class _Values:
    """The lines of `ssh -G` by keyword; `none` is as good as not there."""

    def __init__(self, answer: str) -> None:
        self._texts: defaultdict[str, list[str]] = defaultdict(list)
        for line in answer.splitlines():
            name, _, text = line.partition(" ")
            self._texts[name].append(text)

    def all(self, name: str) -> list[str]:
        return [text for text in self._texts.get(name, ()) if text != "none"]

    def one(self, name: str, default: str = "") -> str:
        return next(iter(self.all(name)), default)

    def says_none(self, name: str) -> bool:
        return "none" in self._texts.get(name, ())


def _tokens(target: Target, values: _Values) -> Mapping[str, str]:
    """What %h and the like stand for; `ssh -G` leaves them in commands and identity files."""
    host = values.one("hostname", target.address)
    return {
        "%": "%",
        "d": str(Path.home()),
        "h": host,
        "i": str(os.getuid()),
        "k": values.one("hostkeyalias") or host,
        "L": socket.gethostname().partition(".")[0],
        "l": socket.gethostname(),
        "n": target.address,
        "p": values.one("port", "22"),
        "r": values.one("user", target.user),
        "u": getpass.getuser(),
    }


def _expanded(text: str, tokens: Mapping[str, str], environment: Mapping[str, str]) -> str:
    named = re.sub(r"\$\{(\w+)\}", lambda match: environment.get(match[1], match[0]), text)
    return re.sub(r"%(.)", lambda match: tokens.get(match[1], match[0]), named)


def _known_hosts(target: Target, values: _Values) -> tuple[Path, ...]:
    if target.known_hosts is not None:
        return (target.known_hosts.absolute(),)
    lists = (*values.all("userknownhostsfile"), *values.all("globalknownhostsfile"))
    return tuple(path for text in lists for path in _paths(text.split(" ")))


def _paths(words: Sequence[str]) -> Iterator[Path]:
    """Paths that `ssh -G` printed between blanks, though they may hold blanks themselves."""
    while words:
        lengths = range(len(words), 0, -1)
        taken = next((n for n in lengths if Path(" ".join(words[:n])).exists()), 1)
        yield Path(" ".join(words[:taken]))
        words = words[taken:]


def _agent(values: _Values, environment: Mapping[str, str]) -> Path | None:
    named = values.one("identityagent", "SSH_AUTH_SOCK")
    if values.says_none("identityagent"):
        return None
    if named == "SSH_AUTH_SOCK" or named.startswith("$"):
        named = environment.get(named.strip("${}"), "")
    return Path(named).expanduser() if named else None


def _proxy(target: Target, values: _Values, tokens: Mapping[str, str]) -> str:
    """The shell command whose stdin and stdout are the connection, or nothing."""
    if jumps := values.one("proxyjump"):
        return shlex.join(_jump(target, values, jumps.split(",")))
    return re.sub(r"%(.)", lambda match: tokens.get(match[1], match[0]), values.one("proxycommand"))


def _jump(target: Target, values: _Values, hops: Sequence[str]) -> list[str]:
    """ssh to the last hop, through those before it, and from there a plain connection."""
    hop = hops[-1] if "://" in hops[-1] else f"ssh://{hops[-1]}"
    return [
        "ssh",
        *(("-F", str(target.configuration)) if target.configuration else ()),
        *(("-J", ",".join(hops[:-1])) if hops[1:] else ()),
        *("-o", "BatchMode=yes", "-o", "ControlPath=none", "-o", "ConnectTimeout=10"),
        *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
        *("-W", f"[{values.one('hostname', target.address)}]:{values.one('port', '22')}"),
        *("--", hop),
    ]
