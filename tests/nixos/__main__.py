"""`python -m tests.nixos HOST...`: evaluate what was rendered, hold it against NixOS's options."""

import sys
from pathlib import Path

from tests.nixos import checker, evaluate


def main(hosts: list[str]) -> int:
    """Print a line a module; the exit status is 1 where an option is wrong."""
    wrong = 0
    for host in hosts:
        for name, module in evaluate(Path("hosts") / host / "generated").items():
            found = checker().check(module)
            wrong += len(found)
            verdict = f"{len(found)} wrong" if found else "ok"
            print(f"  {host}/{name:<16} {checker().count(module):>4} options  {verdict}")
            for problem in found:
                print("    " + ": ".join(problem))
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
