"""Whether a host is well after a deploy, seen what was wrong with it before.

On the old system: `before = baseline(machine, checks(host))`. After the switch, over a new
connection: `assess(machine, checks(host), before)`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from emily_infra.apply.check import Blame, Check, Unit, Weight
from emily_infra.apply.clock import Clock, Monotonic
from emily_infra.apply.generated import checks
from emily_infra.apply.round import Answer, Answers, ask, journal
from emily_infra.findings import dotted
from emily_infra.machine import Machine

__all__ = ["Before", "Grade", "Report", "Result", "assess", "baseline", "checks"]

_TWICE = 2
_WATCH = 2.0
"""Seconds between two looks at the units."""
_FAILED_SETTLE = 10.0
"""Seconds for which a unit must have failed: some are started again by what needs them."""
_UNPROVEN = 20.0
"""Deadline of what did not work before either, and whose failure undoes nothing."""
_JOURNALS = 8
_TOO_LATE = {
    False: "it succeeded only after its deadline",
    True: "it came up after its deadline, for the first time or once more",
}
_OURS = ("emily-deploy.", "emily-dead-man.", "emily-boot-guard.")
"""The units that run the deploy itself: how they end is the engine's business."""


class Grade(StrEnum):
    """What a check came to."""

    PASSED = "passed"
    AS_BEFORE = "as before"
    LEFT_OUT = "left out"
    FAILED = "failed"


@dataclass(frozen=True)
class Before:
    """What was wrong with the host on the old system, asked with the checks of the new one."""

    failed: frozenset[str] = frozenset()
    troubles: Mapping[str, str] = field(default_factory=dict)
    """Of each check by name; nothing where it passed. A check that is missing was not asked."""


@dataclass(frozen=True)
class Result:
    """What one check came to, after how many seconds, and why."""

    check: Check
    grade: Grade
    after: float
    weight: Weight
    reason: str = ""

    def __str__(self) -> str:
        """A line for a person."""
        if self.grade is Grade.PASSED:
            return f"{self.check.name}: passed after {self.after:.0f} s"
        where = f"{self.check.location} {dotted(self.check.place)}"
        if self.grade is Grade.FAILED:
            return f"{self.check.name}: failed after {self.after:.0f} s: {self.reason} ({where})"
        return f"{self.check.name}: {self.grade}: {self.reason} ({where})"


@dataclass(frozen=True)
class NewFailure:
    """A unit that has failed and had not before, with the end of its journal."""

    unit: str
    weight: Weight
    journal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What a deploy came to."""

    results: tuple[Result, ...]
    failures: tuple[NewFailure, ...]
    failed_before: tuple[str, ...]
    """Units that had failed before; listed, not blamed."""
    seconds: float

    @property
    def blamed(self) -> tuple[Result | NewFailure, ...]:
        """What undoes the deploy."""
        results = tuple(r for r in self.results if r.grade is Grade.FAILED)
        each: tuple[Result | NewFailure, ...] = (*results, *self.failures)
        return tuple(one for one in each if one.weight is Weight.CRITICAL)

    @property
    def healthy(self) -> bool:
        """Whether the new system may stay."""
        return not self.blamed


def baseline(machine: Machine, wanted: Sequence[Check]) -> Before:
    """What is wrong already; to be asked before the first change, storage included."""
    answers = ask(machine, wanted)
    troubles = {name: answer.trouble for name, answer in answers.by_check.items()}
    return Before(frozenset(answers.failed), troubles)


def assess(
    machine: Machine,
    wanted: Sequence[Check],
    before: Before,
    told: Callable[[Result], None] = lambda _: None,
    clock: Clock | None = None,
) -> Report:
    """Ask until everything has held twice, or until something critical has failed for good.

    Each result is told once it is certain. Raises Unreachable where the connection breaks.
    """
    clock = clock or Monotonic()
    begin = clock.now()
    trial = Trial(tuple(wanted), before)
    while not trial.over:
        at = clock.now() - begin  # a host that is slow to answer is not held against what it says
        due = trial.due(at)
        for result in trial.enter(due, ask(machine, due), at):
            told(result)
        if not trial.over:
            clock.sleep(trial.pause(clock.now() - begin))
    return _with_journals(machine, trial.report(clock.now() - begin))


def _with_journals(machine: Machine, report: Report) -> Report:
    failed = [r.check.probe.name for r in report.results
              if r.grade is Grade.FAILED and isinstance(r.check.probe, Unit)]  # fmt: skip
    known = {failure.unit: failure for failure in report.failures}
    known |= {unit: NewFailure(unit, Weight.WARNING) for unit in failed if unit not in known}
    units = list(known)[:_JOURNALS]
    texts = journal(machine, units) if units else {}
    failures = (replace(f, journal=texts.get(unit, ())) for unit, f in known.items())
    return replace(report, failures=tuple(failures))


@dataclass
class _Course:
    """How one check has gone so far; times in seconds since the assessment began."""

    check: Check
    weight: Weight
    deadline: float
    asked: float | None = None
    since: float = 0.0
    times: int = 0
    answer: Answer | None = None
    result: Result | None = None

    @property
    def watched(self) -> bool:
        """Asked to the end, because it costs nothing and what has held may yet fall over."""
        return isinstance(self.check.probe, Unit)

    def due(self, now: float) -> bool:
        """Whether it is to be asked now."""
        if self.result and not self.watched:
            return False
        return now >= self.next

    @property
    def next(self) -> float:
        """When it is to be asked again."""
        if self.asked is None:
            return self.check.grace
        return self.asked + (_WATCH if self.watched else self.check.interval)

    def hear(self, answer: Answer, now: float) -> None:
        """Take in an answer; the same one in a row adds up, another one begins anew."""
        old = self.answer
        same = old and old.trouble == answer.trouble
        if old and answer.passed and old.mark != answer.mark:
            same = False
        self.since, self.times = (self.since, self.times + 1) if same else (now, 1)
        self.answer, self.asked = answer, now

    def judge(self, before: Before, now: float) -> Grade | None:
        """What it has come to, if that is certain."""
        assert self.answer
        twice = self.times >= _TWICE
        if self.answer.passed and twice and now - self.since >= self.check.settle:
            return Grade.PASSED
        if twice and not self.answer.passed and not self.answer.known:
            return Grade.LEFT_OUT
        old = before.troubles.get(self.check.name)
        forgiven = self.check.blame is not Blame.ALWAYS and old == self.answer.trouble
        if twice and not self.answer.passed and forgiven:
            return Grade.AS_BEFORE
        holds = self.answer.passed and self.since <= self.deadline
        return Grade.FAILED if now >= self.deadline and not holds else None


class Trial:
    """The judgement of a host, as rounds come in. Pure: time is an argument."""

    def __init__(self, wanted: Sequence[Check], before: Before) -> None:
        self._before = before
        self._courses = {check.name: _course(check, before) for check in wanted}
        self._failures: dict[str, tuple[float, Weight]] = {}
        self._rounds = 0
        self._now = 0.0

    @property
    def over(self) -> bool:
        """Whether asking on can change nothing."""
        results = [course.result for course in self._courses.values()]
        lost = (r for r in results if r and r.grade is Grade.FAILED)
        if any(result.weight is Weight.CRITICAL for result in lost):
            return True
        blamed = [since for since, weight in self._failures.values() if weight is Weight.CRITICAL]
        if any(self._now - since >= _FAILED_SETTLE for since in blamed):
            return True
        return self._rounds >= _TWICE and not blamed and all(results)

    def due(self, now: float) -> tuple[Check, ...]:
        """What is to be asked now."""
        return tuple(course.check for course in self._courses.values() if course.due(now))

    def pause(self, now: float) -> float:
        """Seconds until something is to be asked."""
        open_ones = [c.next for c in self._courses.values() if c.watched or not c.result]
        return max(min([now + _WATCH, *open_ones]) - now, 0.5)

    def enter(self, asked: Sequence[Check], answers: Answers, now: float) -> Iterator[Result]:
        """Take in a round that was begun NOW and is over; what has become certain in it."""
        self._rounds += 1
        self._now = now
        self._note_failures(answers, now)
        for check in asked:
            course = self._courses[check.name]
            course.hear(answers.by_check[check.name], now)
            if fresh := self._settle(course, now):
                yield fresh

    def _settle(self, course: _Course, now: float) -> Result | None:
        """Give a course its result, take one back that no longer holds; a result that is new."""
        grade = course.judge(self._before, now)
        old, course.result = course.result, None
        if grade is None or course.answer is None:
            return None
        after = course.since if grade is Grade.PASSED else now
        reason = course.answer.reason
        if grade is Grade.FAILED and course.answer.passed:
            reason = _TOO_LATE[course.watched]
        course.result = Result(course.check, grade, after, course.weight, reason)
        if old and old.grade is grade:
            course.result = old
            return None
        return course.result

    def _note_failures(self, answers: Answers, now: float) -> None:
        new = {unit: by_timer for unit, by_timer in answers.failed.items()
               if unit not in self._before.failed and not unit.startswith(_OURS)}  # fmt: skip
        self._failures = {
            unit: self._failures.get(unit, (now, _weight_of(unit, by_timer=by_timer)))
            for unit, by_timer in new.items()
        }

    def report(self, now: float) -> Report:
        """What it has come to; what is still open is neither passed nor failed, and left out."""
        results = tuple(c.result for c in self._courses.values() if c.result)
        failures = tuple(
            NewFailure(unit, weight) for unit, (_, weight) in sorted(self._failures.items())
        )
        return Report(results, failures, tuple(sorted(self._before.failed)), now)


def _course(check: Check, before: Before) -> _Course:
    """What the world outside never gave this host is no regression, and not waited for long."""
    proven = before.troubles.get(check.name) == ""
    if check.blame is Blame.REGRESSION and not proven:
        patience = 0.0 if check.weight is Weight.WARNING else _UNPROVEN
        return _Course(check, Weight.WARNING, min(check.deadline, patience))
    return _Course(check, check.weight, check.deadline)


def _weight_of(unit: str, *, by_timer: bool) -> Weight:
    """A job that came due, or a wait for a line that nobody plugged in, is not the switch."""
    harmless = by_timer or "-wait-online" in unit
    return Weight.WARNING if harmless else Weight.CRITICAL
