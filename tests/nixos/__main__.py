"""`python -m tests.nixos HOST...`: evaluate what was rendered and hold it against NixOS's options."""

import sys
from pathlib import Path

from tests.nixos import checker, evaluate


def main(hosts: list[str]) -> int:
    """Print a line a module; the number of wrong options is the exit status, at most 1."""
    wrong = 0
    for host in hosts:
        for name, module in evaluate(Path("hosts") / host / "generated").items():
            found = checker().check(module)
            wrong += len(found)
            print(
                f"  {host}/{name:<16} {checker().count(module):>4} options  {'ok' if not found else ''}"
            )
            for problem in found:
                print("    " + ": ".join(problem))
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
