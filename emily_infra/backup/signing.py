"""Signatures by a host's own key, as ssh-keygen makes and checks them."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emily_infra.backup.here import Here
from emily_infra.machine import CommandFailed

KEY = Path("/etc/ssh/ssh_host_ed25519_key")
"""The key by which operators know the host already: it needs no keeping of its own."""
PURPOSE = "emily-drill"
"""A signature made for something else is worth nothing here, and the other way round."""
_WHO = "host"


def sign(here: Here, data: bytes, key: Path) -> str:
    """A signature; empty where the host cannot sign, which is told and stops nothing."""
    try:
        return here.run(
            "ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", PURPOSE, stdin=data.decode()
        )
    except CommandFailed as error:
        said = error.stderr.strip().splitlines()
        here.tell(f"this drill is not signed: {said[-1] if said else error}")
        return ""


@dataclass(frozen=True)
class Judge:
    """Knows whose signatures count."""

    here: Here
    allowed: Path
    folder: Path

    def accepts(self, data: bytes, signature: str) -> bool:
        """Whether one of the keys made this signature over this."""
        file = self.folder / "signature"
        file.write_text(signature)
        command = ("ssh-keygen", "-q", "-Y", "verify", "-f", str(self.allowed))
        words = ("-I", _WHO, "-n", PURPOSE, "-s", str(file))
        try:
            self.here.run(*command, *words, stdin=data.decode())
        except CommandFailed:
            return False
        return True


@contextmanager
def judging(here: Here, keys: Iterable[Path]) -> Iterator[Judge]:
    """A judge who accepts the keys of these files: public ones, one a line, as in known_hosts."""
    with tempfile.TemporaryDirectory(prefix="emily-evidence-") as name:
        allowed = Path(name) / "allowed"
        with allowed.open("w") as file:
            for kind, blob in _public(keys):
                file.write(f"{_WHO} {kind} {blob}\n")
        yield Judge(here, allowed, Path(name))


def _public(keys: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in keys:
        beside = path.with_name(f"{path.name}.pub")
        try:
            text = (beside if beside.exists() else path).read_text(errors="replace")
        except OSError:
            continue
        for line in text.splitlines():
            words = line.split()
            at = next(
                (i for i, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-"))), None
            )
            if at is not None and len(words) > at + 1:
                yield words[at], words[at + 1]
