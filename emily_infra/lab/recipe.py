"""What the image is made of, and the name that its content gives it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "recipe"
SUITE = "trixie"
SUITES = (SUITE, f"{SUITE}-backports")
COMPONENTS = "main contrib"
# Read by nobody in a machine that lives for hours; LLVM would compile queries of PostgreSQL.
LEFT_OUT = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
    "/usr/share/i18n/*", "/usr/share/javascript/*",
    "/usr/lib/x86_64-linux-gnu/libLLVM*", "/usr/lib/x86_64-linux-gnu/libz3*",
    "/usr/lib/postgresql/*/lib/bitcode/*", "/usr/lib/postgresql/*/lib/llvmjit*",
)  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """Where packages come from, and whose signatures count."""

    mirror: str
    keyring: Path
    proxy: str = ""


def packages() -> tuple[str, ...]:
    """Debian's names of everything that is in the image."""
    return tuple((FOLDER / "packages.txt").read_text().split())


def key() -> str:
    """The name of the image: another recipe gives another one."""
    digest = hashlib.sha256(repr((SUITES, COMPONENTS, LEFT_OUT)).encode())
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(FOLDER)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def command(sources: Sources, recipe: Path, results: Path) -> tuple[str, ...]:
    """The one command that builds the image from the recipe's folder."""
    lines = [f"deb {sources.mirror} {suite} {COMPONENTS}" for suite in SUITES]
    return (
        "mmdebstrap",
        "--variant=apt",
        "--architectures=amd64",
        f"--keyring={sources.keyring}",
        *(f"--aptopt={option}" for option in _apt(sources)),
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=force-confold",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        f"--include={','.join(packages())}",
        f'--setup-hook=sh {recipe}/setup "$1"',
        f'--customize-hook=sh {recipe}/finish "$1" {recipe}',
        *(f"--customize-hook=copy-out /mnt/{name} {results}" for name in RESULTS),
        SUITE,
        "/dev/null",
        *lines,
    )


RESULTS = ("root", "kernel", "initrd", "boot", "packages")


def _apt(sources: Sources) -> Iterator[str]:
    yield 'APT::Install-Recommends "false"'
    yield 'Acquire::Languages "none"'
    if sources.proxy:
        yield f'Acquire::http::Proxy "{sources.proxy}"'
