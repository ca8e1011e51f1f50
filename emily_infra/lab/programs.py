"""The programs that a lab needs on the operator's machine."""

import os
import shutil
from collections.abc import Mapping

from emily_infra.lab.faults import LacksPrograms

FOR_A_MACHINE = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "ssh-keygen": "openssh-client",
    "nix-instantiate": "nix-bin",
}


def search_path() -> str:
    """PATH with the folders that Debian keeps from ordinary users."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def need(programs: Mapping[str, str]) -> None:
    """Say all that is missing at once, by the names of Debian's packages."""
    missing = {name for name in programs if not shutil.which(name, path=search_path())}
    if missing:
        packages = " ".join(sorted({programs[name] for name in missing}))
        raise LacksPrograms(
            f"a lab needs {', '.join(sorted(missing))}", hint=f"apt-get install {packages}"
        )
