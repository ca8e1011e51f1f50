"""Several real processes spend from one budget, and some are killed while they do."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from emily_runtime.nerves.clock import RealClock
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.spending import DOLLAR, Window

LIMITS = (Window("hour", 3_600, DOLLAR),)
SPENDER = """
import os, pathlib, sys, time
from emily_runtime.nerves.clock import RealClock
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.spending import Spent
from tests.runtime.providers.test_processes import LIMITS

folder = pathlib.Path(sys.argv[1])
budget = Budget(folder / "budget", LIMITS, clock=RealClock())
bills = os.open(folder / "bills", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
sys.stdin.read(1)
amount = 1_000 + os.getpid() % 7
try:
    while True:
        reservation = budget.reserve(amount, 60.0)
        os.write(bills, b"%d\\n" % amount)
        budget.settle(reservation, amount)
except Spent:
    print("spent")
"""


def test_several_processes_never_overspend_though_some_are_killed(in_memory: Path) -> None:
    spenders = [spender(in_memory) for _ in range(5)]
    for process in spenders:
        os.write(process.stdin.fileno(), b"x") if process.stdin else None

    wait_for_bills(in_memory / "bills", 50)
    for process in spenders[:2]:
        process.send_signal(signal.SIGKILL)
    said = [process.communicate(timeout=60)[0] for process in spenders]

    bills = [int(line) for line in (in_memory / "bills").read_text().split()]
    (balance,) = Budget(in_memory / "budget", LIMITS, clock=RealClock()).balances()
    assert said[2:] == ["spent\n"] * 3
    assert DOLLAR - 3 * 1_007 < sum(bills) <= balance.spent + balance.reserved <= DOLLAR


def spender(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SPENDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for_bills(file: Path, count: int) -> None:
    while not file.exists() or file.read_bytes().count(b"\n") < count:
        os.sched_yield()
