"""`doctor`: look at what the runtime needs, and say what to do about what is missing."""

import asyncio
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from emily_runtime.cli.output import DONE, FOUND, Output
from emily_runtime.config import Config, credential, read
from emily_runtime.messages import Refused
from emily_runtime.providers.site import is_near

if TYPE_CHECKING:
    from emily_runtime.memory.store import Health

LEAST_PYTHON = (3, 11)
VOLTA = 7.0
"""The compute capability from which vLLM runs (its requirements)."""
PSI = Path("/proc/pressure/memory")
NEEDED = ("numpy", "msgspec", "starlette", "uvicorn", "uvloop", "prometheus-client", "websockets")
State = Literal["ok", "note", "wrong"]


class Finding(Struct):
    """One thing that was looked at."""

    what: str
    state: State
    told: str
    do: str = ""
    """The next move, where there is one."""


def run(arguments: Namespace, output: Output) -> int:
    """FOUND where something is wrong; a note is no fault."""
    found = list(_all(arguments))
    marks = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}
    lines = []
    for one in found:
        lines.append(f"{marks[one.state]}  {one.what}: {one.told}")
        if one.do:
            lines.append(f"         {one.do}")
    output.say("\n".join(lines), found)
    return FOUND if any(one.state == "wrong" for one in found) else DONE


def _all(arguments: Namespace) -> Iterator[Finding]:
    yield _python()
    yield from _libraries()
    yield _search()
    yield _pressure()
    yield _graphics()
    if arguments.config is None:
        yield Finding("configuration", "note", "not looked at", "give it with --config FILE")
        return
    config = read(arguments.config)
    arguments.language = config.language
    yield from _credentials(config)
    yield _memory(config, reach=arguments.reach)
    yield from _providers(config, reach=arguments.reach)


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < LEAST_PYTHON:
        return Finding("Python", "wrong", version, "it takes 3.11 or newer")
    return Finding("Python", "ok", version)


def _libraries() -> Iterator[Finding]:
    for name in NEEDED:
        try:
            yield Finding(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "wrong", "not installed", "install emily-runtime whole")


def _search() -> Finding:
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
    except sqlite3.OperationalError as error:
        do = "this Python's SQLite was built without FTS5: take another build"
        return Finding("SQLite FTS5", "wrong", str(error), do)
    finally:
        database.close()
    return Finding("SQLite FTS5", "ok", sqlite3.sqlite_version)


def _pressure() -> Finding:
    try:
        some = PSI.read_text(encoding="ascii").splitlines()[0]
    except OSError as error:
        do = "boot with psi=1; until then the runtime does not notice that memory is short"
        return Finding("memory pressure", "note", error.strerror or str(error), do)
    return Finding("memory pressure", "ok", some)


def _graphics() -> Finding:
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("graphics", "note", "no nvidia-smi; language models need no GPU here")
    command = [program, "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        done = subprocess.run(  # noqa: S603 - the program's own path, no shell
            command, capture_output=True, text=True, timeout=10, check=True
        )
        cards = [tuple(line.rsplit(", ", 1)) for line in done.stdout.splitlines()]
        weak = [name for name, capability in cards if float(capability) < VOLTA]
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return Finding("graphics", "note", f"nvidia-smi: {error}")
    told = ", ".join(f"{name} ({capability})" for name, capability in cards)
    if weak:
        do = f"vLLM needs compute capability {VOLTA}; for {weak[0]} take llama.cpp's server"
        return Finding("graphics", "note", told, do)
    return Finding("graphics", "ok", told)


def _credentials(config: Config) -> Iterator[Finding]:
    if "CREDENTIALS_DIRECTORY" not in os.environ:
        do = "systemd hands them over; by hand: CREDENTIALS_DIRECTORY=FOLDER emily-runtime doctor"
        yield Finding("credentials", "note", "$CREDENTIALS_DIRECTORY is not set", do)
        return
    for name in ("token", *config.credentials.values()):
        try:
            length = len(credential(name, os.environ))
        except Refused as refused:
            do = f"systemd hands it over: LoadCredential={name}:FILE"
            yield Finding(f"credential {name}", "wrong", str(refused.values["reason"]), do)
        else:
            yield Finding(f"credential {name}", "ok", f"{length} characters")


def _memory(config: Config, *, reach: bool) -> Finding:
    if config.memory.store == "sqlite":
        folder = os.environ.get("STATE_DIRECTORY", ".")
        if os.access(folder, os.W_OK | os.X_OK):
            return Finding("memory", "ok", f"SQLite in {folder}")
        do = f"see to its folder: ls -ld {folder}"
        return Finding("memory", "wrong", f"{folder} cannot be written to", do)
    if not reach:
        return Finding("memory", "note", "PostgreSQL, not called", "call it with --reach")
    try:
        health = asyncio.run(_health(config))
    except Refused as refused:
        what, _, do = refused.told(config.language).partition("\n")
        return Finding("memory", "wrong", what, do.strip())
    return Finding("memory", "ok", f"{health.place}: {health.rows} episodes; {health.search}")


async def _health(config: Config) -> "Health":
    # With NumPy, which may be what is missing.
    from emily_runtime.mind.stores import opened, store_by_hand

    async with opened(store_by_hand(config, Path(), os.environ)) as store:
        return await store.health()


def _providers(config: Config, *, reach: bool) -> Iterator[Finding]:
    addresses = {"anthropic": config.llm.anthropic_url, "openai": config.llm.openai_url}
    models = {"anthropic": config.llm.anthropic_model, "openai": config.llm.openai_model}
    for name in config.llm.order:
        if name == "offline":
            yield Finding("provider offline", "ok", "always there, and no language model")
        elif not models[name]:
            do = f"set llm.{name}_model in {config.file}"
            yield Finding(f"provider {name}", "wrong", "no model is named", do)
        elif name not in config.providers and not is_near(urlsplit(addresses[name]).hostname or ""):
            do = f'name its credential: [providers] {name} = "NAME"'
            yield Finding(f"provider {name}", "wrong", "it has no key", do)
        elif reach:
            yield _reached(name, addresses[name])
        else:
            yield Finding(f"provider {name}", "note", "not called", "call it with --reach")


def _reached(name: str, address: str) -> Finding:
    import httpx2

    try:
        reply = httpx2.get(address, timeout=10)
    except httpx2.HTTPError as error:
        do = f"try it by hand: curl -v {address}"
        return Finding(f"provider {name}", "wrong", f"{address}: {error}", do)
    return Finding(f"provider {name}", "ok", f"{address} answers ({reply.status_code})")
