"""When a host counts as well: what must hold, for how long, and what is not blamed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emily_infra.apply.check import Blame, Check, Shell, Unit, Weight
from emily_infra.apply.health import (
    Before,
    Grade,
    NewFailure,
    Report,
    Result,
    Trial,
    assess,
    baseline,
)
from emily_infra.apply.round import Answer, Answers
from emily_infra.findings import Location
from tests.apply.here import FAILED, Here

WELL = Answer()
ILL = Answer("it is ill")
Told = Callable[[float], Answer]
"""What a check finds after so many seconds."""


def check(
    name: str, *, deadline: float = 30.0, grace: float = 0.0, weight: Weight = Weight.CRITICAL,
    blame: Blame = Blame.CHANGED,
) -> Check:  # fmt: skip
    """A check of a unit, where the name is one, else a piece of shell."""
    probe = Unit(name) if "." in name else Shell("true")
    place = Location("hosts/a/host.yaml", 7, 3)
    return Check(name, ("deploy", name), place, probe, grace, 2.0, deadline, weight, blame)


def always(answer: Answer) -> Told:
    return lambda _: answer


def since(moment: float, before: Answer = ILL, after: Answer = WELL) -> Told:
    return lambda now: after if now >= moment else before


def flapping(period: float) -> Told:
    """A service that is up whenever one looks, and is a new one after each period."""
    return lambda now: Answer(mark=f"{now // period}")


@dataclass
class Host:
    """A host as its checks see it, over time."""

    told: dict[Check, Told]
    failed: Callable[[float], dict[str, bool]] = lambda _: {}
    before: Before = field(default_factory=Before)
    asked: list[tuple[float, str]] = field(default_factory=list)

    def judge(self) -> Report:
        """The report, when every round takes a tenth of a second."""
        trial, now = Trial(tuple(self.told), self.before), 0.0
        while not trial.over:
            due = trial.due(now)
            self.asked += [(now, each.name) for each in due]
            answers = {each.name: self.told[each](now) for each in due}
            now += 0.1
            list(trial.enter(due, Answers(answers, self.failed(now)), now))
            now += trial.pause(now)
            assert now < 300, "the trial has no end"
        return trial.report(now)


def grades(report: Report) -> dict[str, Grade]:
    return {result.check.name: result.grade for result in report.results}


def test_a_host_is_well_when_everything_has_held_twice() -> None:
    host = Host({check("pool tank"): always(WELL)})

    report = host.judge()

    assert report.healthy
    assert len(host.asked) == 2
    assert [str(result) for result in report.results] == ["pool tank: passed after 0 s"]


def test_what_comes_up_in_time_is_waited_for() -> None:
    report = Host({check("pool tank"): since(20.0)}).judge()

    assert report.healthy
    assert str(report.results[0]) == "pool tank: passed after 21 s"


def test_what_never_comes_up_fails_at_its_deadline_with_its_place() -> None:
    report = Host({check("pool tank", deadline=30.0): always(ILL)}).judge()

    assert not report.healthy
    assert report.seconds < 35
    assert str(report.results[0]).startswith("pool tank: failed after 3")
    assert str(report.results[0]).endswith(": it is ill (hosts/a/host.yaml:7:3 deploy.pool tank)")


def test_a_service_must_hold_for_ten_seconds() -> None:
    report = Host({check("smbd.service"): always(WELL)}).judge()

    assert 10 <= report.seconds < 15


@pytest.mark.parametrize("period", [1.0, 3.0, 7.0])
def test_a_service_that_is_up_at_every_look_but_always_anew_does_not_pass(period: float) -> None:
    report = Host({check("smbd.service"): flapping(period)}).judge()

    assert not report.healthy


def test_a_service_that_is_started_anew_a_few_times_and_then_holds_passes() -> None:
    settles = since(8.0, Answer(mark="first"), Answer(mark="second"))

    report = Host({check("grafana.service"): settles}).judge()

    assert report.healthy
    assert report.seconds >= 18


def test_a_service_that_falls_over_while_others_are_waited_for_does_not_pass() -> None:
    falls = since(20.0, WELL, ILL)

    report = Host({check("smbd.service", deadline=15.0): falls, check("slow"): since(25.0)}).judge()

    assert grades(report)["smbd.service"] is Grade.FAILED
    assert not report.healthy


def test_a_service_that_comes_up_just_in_time_is_given_its_ten_seconds() -> None:
    report = Host({check("smbd.service", deadline=30.0): since(27.0)}).judge()

    assert report.healthy


def test_a_check_is_not_asked_before_its_grace() -> None:
    host = Host({check("api", grace=12.0): always(WELL)})

    host.judge()

    assert host.asked[0][0] >= 12.0


def test_a_check_that_has_passed_is_asked_no_more_but_units_are_watched() -> None:
    host = Host({check("own"): always(WELL), check("a.service"): since(10.0)})

    host.judge()

    assert [name for _, name in host.asked].count("own") == 2
    assert [name for _, name in host.asked].count("a.service") > 5


def test_trouble_of_before_in_the_same_words_is_listed_and_not_blamed() -> None:
    degraded = Answer("pool tank is DEGRADED, sdb1 is FAULTED")
    before = Before(troubles={"pool tank": degraded.trouble})

    report = Host({check("pool tank"): always(degraded)}, before=before).judge()

    assert report.healthy
    assert report.seconds < 10
    assert "as before: pool tank is DEGRADED" in str(report.results[0])


def test_trouble_that_grew_worse_is_blamed() -> None:
    before = Before(troubles={"pool tank": "pool tank is DEGRADED"})

    report = Host({check("pool tank"): always(Answer("pool tank is FAULTED"))}, before=before)

    assert not report.judge().healthy


def test_a_unit_that_kept_falling_over_before_may_do_so_again() -> None:
    looping = lambda now: Answer("a.service is not active", mark=str(now))  # noqa: E731
    before = Before(troubles={"a.service": "a.service is not active"})

    assert Host({check("a.service"): looping}, before=before).judge().healthy


def test_an_own_check_that_failed_before_must_pass_all_the_same() -> None:
    before = Before(troubles={"api": ILL.trouble})

    report = Host({check("api", blame=Blame.ALWAYS): always(ILL)}, before=before).judge()

    assert not report.healthy


def test_what_the_world_outside_took_away_is_blamed_only_if_it_was_there() -> None:
    peer = check("peer", deadline=90.0, blame=Blame.REGRESSION)

    lost = Host({peer: always(ILL)}, before=Before(troubles={"peer": ""})).judge()
    new = Host({peer: always(ILL)}, before=Before(troubles={"peer": "no such interface"})).judge()

    assert not lost.healthy
    assert new.healthy
    assert new.seconds < 25
    assert grades(new)["peer"] is Grade.FAILED


def test_a_warning_is_reported_and_undoes_nothing() -> None:
    report = Host({check("grafana answers", weight=Weight.WARNING): always(ILL)}).judge()

    assert report.healthy
    assert grades(report) == {"grafana answers": Grade.FAILED}


def test_what_the_host_does_not_have_is_left_out_aloud() -> None:
    report = Host({check("grafana.service"): always(Answer("unknown", known=False))}).judge()

    assert report.healthy
    assert grades(report) == {"grafana.service": Grade.LEFT_OUT}


def test_a_unit_that_had_failed_before_is_listed_and_not_blamed() -> None:
    before = Before(failed=frozenset({"old.service"}))
    host = Host({check("a"): always(WELL)}, lambda _: {"old.service": False}, before)

    report = host.judge()

    assert report.healthy
    assert report.failed_before == ("old.service",)
    assert report.failures == ()


def test_a_unit_that_fails_anew_is_blamed_even_if_nobody_checks_it() -> None:
    report = Host({check("a"): always(WELL)}, lambda _: {"new.service": False}).judge()

    assert not report.healthy
    assert [failure.unit for failure in report.failures] == ["new.service"]
    assert report.seconds < 15


def test_a_unit_that_is_started_again_in_time_is_not_blamed() -> None:
    host = Host(
        {check("a"): always(WELL)}, lambda now: {"new.service": False} if now < 6 else {}
    )  # fmt: skip

    assert host.judge().healthy


@pytest.mark.parametrize(
    ("unit", "by_timer"),
    [("emily-offsite-s3.service", True), ("systemd-networkd-wait-online.service", False)],
)
def test_a_job_that_came_due_meanwhile_is_a_warning(unit: str, *, by_timer: bool) -> None:
    report = Host({check("a"): always(WELL)}, lambda _: {unit: by_timer}).judge()

    assert report.healthy
    assert [(f.unit, f.weight) for f in report.failures] == [(unit, Weight.WARNING)]


def test_the_units_of_the_deploy_itself_are_not_judged() -> None:
    report = Host({check("a"): always(WELL)}, lambda _: {"emily-deploy.service": False}).judge()

    assert report.failures == ()


def test_a_critical_failure_ends_the_trial_at_once() -> None:
    host = Host({check("a", deadline=5.0): always(ILL), check("b", deadline=60.0): always(ILL)})

    assert host.judge().seconds < 10


def test_nothing_to_check_is_still_looked_at_twice() -> None:
    assert Host({}).judge().healthy


@dataclass
class Hurried:
    """A clock that real rounds run under, and that does not wait between them."""

    seconds: float = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += max(seconds, 2.0)


def test_real_rounds_end_in_a_report_with_the_journal_of_what_failed(tmp_path: Path) -> None:
    here = Here(tmp_path, failed=["old.service", "smbd.service"])
    here.units = {name: FAILED.format(name, "") for name in here.failed}
    (tmp_path / "journalctl").write_text("#!/bin/sh\necho cannot bind\n")
    (tmp_path / "journalctl").chmod(0o755)
    wanted = (check("smbd.service"), check("pool tank"))
    before = Before(frozenset({"old.service"}), {"smbd.service": ""})
    heard: list[Result] = []

    report = assess(here, wanted, before, heard.append, Hurried())

    assert not report.healthy
    assert report.failed_before == ("old.service",)
    assert report.failures == (NewFailure("smbd.service", Weight.CRITICAL, ("cannot bind",)),)
    assert [str(result) for result in heard] == ["pool tank: passed after 0 s"]


@dataclass
class Slow(Here):
    """A machine that needs twenty seconds for every answer."""

    clock: "Hurried" = field(default_factory=lambda: Hurried())

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        self.clock.seconds += 20
        return super().run(*argv, stdin=stdin, deadline=deadline)


def test_an_answer_that_takes_its_time_counts_from_when_it_was_asked_for(tmp_path: Path) -> None:
    slow = Slow(tmp_path)

    report = assess(slow, (check("pool tank", deadline=15),), Before(), clock=slow.clock)

    assert report.healthy


def test_the_baseline_is_one_command(tmp_path: Path) -> None:
    here = Here(tmp_path, units={"a.service": FAILED.format("a.service", "")}, failed=["a.service"])

    before = baseline(here, (check("a.service"), check("pool tank")))

    assert here.runs == 1
    assert before.failed == {"a.service"}
    assert before.troubles == {"a.service": "a.service is not active", "pool tank": ""}
