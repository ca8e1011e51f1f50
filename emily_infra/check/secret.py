"""Rules about secret: values never stand in host.yaml, names all mean something."""

from collections.abc import Iterator
from difflib import get_close_matches

from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Path, Severity, dotted
from emily_infra.spec.credentials import credential
from emily_infra.spec.host import Host
from emily_infra.spec.source import Data
from emily_infra.spec.topology import secret_references

_WORLD_READABLE = ("/nix/store", "/tmp", "/var/tmp", "/dev/shm", "/etc")  # noqa: S108 - refused here


@host_rule(
    "SEC001",
    Severity.ERROR,
    wrong='backup: { offsite: { shed: { exclude: ["/srv/home/AKIAIOSFODNN7EXAMPLE"] } } }',
    right='backup: { offsite: { shed: { exclude: ["/srv/home/cache"] } } }',
)
def a_secret_in_the_clear(host: Host) -> Iterator[Problem]:
    """A secret stands in host.yaml in the clear

    host.yaml is committed, and what is rendered from it ends in the Nix store that every user of
    the host can read. Private keys, cloud keys, API tokens, password hashes and passwords in URLs
    are recognised by their shape and never printed. What has been committed is known to everybody
    who has the repository: change it at its provider first, then delete it here. A WireGuard
    private key looks like a public one, so it cannot be recognised; only its name belongs here.
    """
    for path, value in _texts(host.source.data):
        if kind := credential(value):
            yield Problem(
                at=path,
                message=f"{dotted(path)} holds what looks like {kind}",
                hint="revoke it, delete it here, and refer to it as secret:NAME",
                secret=True,
            )


def _texts(data: Data, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*path, key))
    elif isinstance(data, tuple):
        for index, value in enumerate(data):
            yield from _texts(value, (*path, index))


@host_rule(
    "SEC002",
    Severity.ERROR,
    wrong="backup: { offsite: { shed: { password: secret:restik } } }",
    right="backup: { offsite: { shed: { password: secret:restic } } }",
    standing=Standing.CONTRADICTION,
)
def a_secret_that_is_not_declared(host: Host) -> Iterator[Problem]:
    """A secret is used but not declared

    Every secret:NAME must stand under secrets, because that is the list from which the operator
    knows what to put on the host, and from which its age is watched. A name that is missing there
    is mostly a misspelt one.
    """
    declared = sorted(host.spec.secrets)
    for path, name in secret_references(host.spec):
        if name not in host.spec.secrets:
            near = get_close_matches(name, declared, 1)
            meant = f"did you mean secret:{near[0]}? If not, " if near else ""
            yield Problem(
                at=path,
                message=f"secret:{name} is not declared under secrets",
                hint=f"{meant}add under secrets: {name}: {{}}",
            )


@host_rule(
    "SEC003",
    Severity.WARNING,
    wrong="secrets: { old-token: {} }",
    right="secrets: { restic: {}, smb-colter: {} }",
)
def a_secret_that_nothing_uses(host: Host) -> Iterator[Problem]:
    """A secret is declared but nothing uses it

    It would still be kept on the host, grow old and be rotated. A secret that nobody needs is one
    that nobody notices when it leaks.
    """
    used = {name for _, name in secret_references(host.spec)}
    for name in sorted(host.spec.secrets.keys() - used):
        yield Problem(
            at=("secrets", name),
            message=f"nothing refers to secret:{name}",
            hint="delete it here and from the host, or refer to it",
        )


@host_rule(
    "SEC004",
    Severity.ERROR,
    wrong="secrets: { restic: { file: /etc/restic-password } }",
    right="secrets: { restic: { file: /run/secrets/restic } }",
)
def a_secret_where_everybody_reads(host: Host) -> Iterator[Problem]:
    """A secret's file is where everybody can read

    /nix/store is readable by every user and copied to every cache; /tmp, /var/tmp and /dev/shm can
    be prepared by any user before the secret is written; /etc is copied into backups and rendered
    from the store. Keep secrets on a file system in RAM that root owns: /run/secrets, as sops-nix
    does, or /run/agenix.
    """
    for name, secret in host.spec.secrets.items():
        folder = next((top for top in _WORLD_READABLE if _is_below(secret.file, top)), None)
        if folder:
            yield Problem(
                at=("secrets", name, "file"),
                message=f"{secret.file} is below {folder}, where others can read or replace it",
                hint=f"write file: /run/secrets/{name}, or leave file out",
            )


def _is_below(file: str | None, folder: str) -> bool:
    return file is not None and (file == folder or file.startswith(f"{folder}/"))
