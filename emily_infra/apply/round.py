"""One round of checks: a single command to the host, and what it says."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from emily_infra.apply.check import Check, Shell, Unit
from emily_infra.machine import CommandFailed, Machine, Unreachable

_LONGEST = 300
_PROPERTIES = (
    "Id", "LoadState", "ActiveState", "SubState", "Result", "InvocationID", "NRestarts",
    "TriggeredBy",
)  # fmt: skip
_ROUND = """\
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cat >"$work/checks" <<'EMILY_CHECKS'
@words@
case $1 in
@cases@
esac
EMILY_CHECKS

# A check writes its exit code when it is over. One that hangs for good is not waited for.
begin() {
  {
    { timeout -k 1 "$2" sh "$work/checks" "$1"; echo $? >"$work/$1.code"; } </dev/null 2>&1 |
      tail -c 2000 >"$work/$1.said"
    : >"$work/$1.over"
  } >/dev/null 2>&1 &
}

over() {
  for number in $numbers; do
    [ -e "$work/$number.over" ] || return
  done
}

ask() {
  PATH=/run/current-system/sw/bin:/run/wrappers/bin:/usr/sbin:/usr/bin:/sbin:/bin
  LC_ALL=C
  export PATH LC_ALL
  numbers='@numbers@'
@begin@
  for unit in @units@; do
    set -- "$@" "$unit"
  done
  show='systemctl show --no-pager --property=@properties@'
  [ $# = 0 ] || timeout 20 $show -- "$@" 2>&1 | sed 's/^/unit /'
  set --
  list='systemctl list-units --state=failed --plain --no-legend --no-pager --full'
  for unit in $(timeout 20 $list | while read -r name _; do echo "$name"; done); do
    set -- "$@" "$unit"
  done
  [ $# = 0 ] || timeout 20 $show -- "$@" 2>&1 | sed 's/^/failed /'
  left=@left@
  until over || [ $left = 0 ]; do
    left=$((left - 1))
    sleep 0.2
  done
  for number in $numbers; do # without other programs: a machine may be slow to start them
    if [ -e "$work/$number.over" ]; then
      read -r code <"$work/$number.code" && echo "code $number $code"
    fi
    [ -e "$work/$number.said" ] || continue
    while IFS= read -r line || [ -n "$line" ]; do
      printf 'said %s %s\n' "$number" "$line"
    done <"$work/$number.said"
    echo
  done
  echo end
}
ask
"""
"""The script of a round; nothing is asked before all of it has arrived."""
_JOURNAL = """\
number=0
for unit; do
  journalctl --unit="$unit" --lines=@lines@ --no-pager --no-hostname --output=short 2>&1 |
    sed "s/^/$number /"
  number=$((number + 1))
done
"""


@dataclass(frozen=True)
class Answer:
    """What one check found in one round."""

    trouble: str = ""
    """Why it did not pass, in the same words as long as it is the same trouble."""
    detail: str = ""
    """What a person wants to know beside it; may change from round to round."""
    mark: str = ""
    """Changes when the thing was started anew."""
    known: bool = True
    """Whether the host has such a thing at all."""

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return not self.trouble

    @property
    def reason(self) -> str:
        """The trouble as a person is told it."""
        return f"{self.trouble}{self.detail}"


@dataclass(frozen=True)
class Answers:
    """A round: an answer for each check by name, and the units that have failed."""

    by_check: Mapping[str, Answer]
    failed: Mapping[str, bool] = field(default_factory=dict)
    """Failed units, and whether a timer started them: a job that came due, not the switch."""


def ask(machine: Machine, checks: Sequence[Check]) -> Answers:
    """The answers to all checks, in one command; a host that is too ill to be asked fails them all.

    Raises Unreachable, whose meaning for a deploy is not for a check to decide.
    """
    try:
        said = machine.run("sh", "-s", stdin=script(checks), deadline=_deadline(checks))
    except CommandFailed as failure:
        said = ""
        why = f"the host cannot be asked: {str(failure).splitlines()[0]}"
    else:
        why = "the host did not answer to the end"
    return parse(checks, said) or Answers({check.name: Answer(why) for check in checks})


def _shells(checks: Sequence[Check]) -> list[tuple[int, Shell]]:
    return [(n, check.probe) for n, check in enumerate(checks) if isinstance(check.probe, Shell)]


def _units(checks: Sequence[Check]) -> list[str]:
    """The units to look at: those that are checked, and those that decide about a check."""
    wanted = (c.probe.name if isinstance(c.probe, Unit) else c.probe.unit for c in checks)
    return list(dict.fromkeys(unit for unit in wanted if unit))


def _longest(checks: Sequence[Check]) -> float:
    return max((shell.limit for _, shell in _shells(checks)), default=0.0) + 3


def _deadline(checks: Sequence[Check]) -> float:
    return _longest(checks) + 60


def script(checks: Sequence[Check]) -> str:
    """POSIX sh that asks everything at once and prints it line by line, each with its number."""
    shells = _shells(checks)
    words = files(__package__).joinpath("health.sh").read_text(encoding="utf-8")
    begin = [f"  begin {number} {shell.limit:g}" for number, shell in shells]
    values = {
        "words": words.rstrip("\n"),
        "cases": "\n".join(f"{number}) {shell.script} ;;" for number, shell in shells),
        "numbers": " ".join(str(number) for number, _ in shells),
        "begin": "\n".join(begin) or "  :",
        "units": shlex.join(_units(checks)),
        "properties": ",".join(_PROPERTIES),
        "left": str(int(_longest(checks) * 5)),
    }
    return re.sub("@([a-z]+)@", lambda found: values[found[1]], _ROUND)


def parse(checks: Sequence[Check], said: str) -> Answers | None:
    """What a round printed; nothing where it was cut short."""
    lines = said.splitlines()
    if not lines or lines[-1] != "end":
        return None
    units = dict(zip(_units(checks), _blocks(lines, "unit "), strict=False))
    codes = {words[1]: words[2] for line in lines if len(words := line.split()) == 3
             and words[0] == "code"}  # fmt: skip
    answers = {}
    for number, check in enumerate(checks):
        if isinstance(check.probe, Unit):
            answers[check.name] = _of_unit(check.probe.name, units.get(check.probe.name, {}))
        else:
            heard = [line.partition(f"said {number} ")[2] for line in lines
                     if line.startswith(f"said {number} ")]  # fmt: skip
            unit = units.get(check.probe.unit, {})
            answers[check.name] = _of_shell(check.probe, codes.get(str(number)), heard, unit)
    failed = {
        block["Id"]: ".timer" in block.get("TriggeredBy", "")
        for block in _blocks(lines, "failed ")
        if "Id" in block
    }
    return Answers(answers, failed)


def _blocks(lines: Sequence[str], prefix: str) -> Iterator[dict[str, str]]:
    """What `systemctl show` prints of several units: blocks with an empty line between."""
    block: dict[str, str] = {}
    for line in (line.removeprefix(prefix) for line in lines if line.startswith(prefix)):
        key, equals, value = line.partition("=")
        if equals:
            block[key] = value
        elif block:
            yield block
            block = {}
    if block:
        yield block


def _of_unit(name: str, found: Mapping[str, str]) -> Answer:
    if "LoadState" not in found:
        return Answer("systemd does not answer")
    if found["LoadState"] == "not-found":
        return Answer(f"systemd does not know {name}", known=False)
    active, sub = found.get("ActiveState", ""), found.get("SubState", "")
    armed = not name.endswith(".timer") or sub in ("waiting", "running")
    mark = f"{found.get('InvocationID', '')} {found.get('NRestarts', '')}"
    if active in ("active", "reloading", "refreshing") and armed:
        return Answer(mark=mark)
    result = found.get("Result", "success")
    why = "" if result == "success" else f", {result}"
    return Answer(f"{name} is not active", f" but {active} ({sub}{why})", mark)


def _of_shell(
    probe: Shell, code: str | None, heard: Sequence[str], unit: Mapping[str, str]
) -> Answer:
    if probe.unit and unit.get("LoadState") == "not-found":
        return Answer(f"systemd does not know {probe.unit}", known=False)
    if code == "0":
        return Answer()
    last = next((line.strip() for line in reversed(heard) if line.strip()), "")[:_LONGEST]
    if code in (None, "124", "137"):
        return Answer(f"no answer within {probe.limit:g} s")
    if code == "1" and last:
        return Answer(last)
    return Answer(f"exit code {code}" + (f": {last}" if last else ""))


def journal(machine: Machine, units: Sequence[str], lines: int = 20) -> dict[str, tuple[str, ...]]:
    """The end of each unit's journal, in one command."""
    program = _JOURNAL.replace("@lines@", str(lines))
    try:
        said = machine.run("sh", "-c", program, "sh", *units, deadline=60.0)
    except (CommandFailed, Unreachable):  # the verdict stands without it
        return {}
    found: dict[str, list[str]] = {str(number): [] for number in range(len(units))}
    for line in said.splitlines():
        number, _, text = line.partition(" ")
        found.get(number, []).append(text)
    return {unit: tuple(text) for unit, text in zip(units, found.values(), strict=True)}
