"""What a switch does with each unit, decided from the old and the new folder alone."""

from pathlib import Path

import pytest

from emily_infra.lab.system.guest.changes import Changes, Loaded, decide
from emily_infra.lab.system.guest.unit import Folder

_OLD = "[Service]\nExecStart=/old\n"
_NEW = "[Service]\nExecStart=/new\n"


class Rehearsal:
    """Two generations of units, and what runs."""

    def __init__(self, root: Path) -> None:
        self.old = Folder(root / "old", root / "vendor")
        self.new = Folder(root / "new", root / "vendor")
        for folder in (self.old.path, self.new.path, self.old.vendor):
            folder.mkdir()
        self.loaded: dict[str, Loaded] = {}

    def unit(self, name: str, old: str | None, new: str | None, active: str = "active") -> None:
        for folder, text in ((self.old, old), (self.new, new)):
            if text is not None:
                (folder.path / name).write_text(text)
        self.loaded[name] = Loaded(name, active, fragment=f"/etc/systemd/system/{name}")

    def decide(self, **unfinished: set[str]) -> dict[str, set[str]]:
        changes = decide(self.loaded, self.old, self.new, Changes(**unfinished))
        return {key: names for key, names in vars(changes).items() if names}


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


def test_an_unchanged_unit_is_left_alone(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, _OLD)

    assert rehearsal.decide() == {}


def test_a_changed_service_is_stopped_and_started(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, _NEW)

    assert rehearsal.decide() == {"stop": {"a.service"}, "start": {"a.service"}}


def test_a_changed_service_that_does_not_run_is_left_alone(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, _NEW, active="failed")

    assert rehearsal.decide() == {}


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("X-StopIfChanged=false", "restart"),
        ("X-ReloadIfChanged=true", "reload"),
        ("X-RestartIfChanged=false", "skip"),
    ],
)
def test_a_unit_may_say_how_it_is_taken_over(rehearsal: Rehearsal, line: str, done: str) -> None:
    rehearsal.unit("a.service", _OLD, f"{_NEW}{line}\n")

    assert rehearsal.decide() == {done: {"a.service"}}


def test_a_unit_that_only_people_start_is_skipped(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, f"[Unit]\nX-OnlyManualStart=true\n{_NEW}")

    assert rehearsal.decide() == {"skip": {"a.service"}}


def test_only_a_new_trigger_reloads(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, f"[Unit]\nX-Reload-Triggers=b\n{_OLD}")

    assert rehearsal.decide() == {"reload": {"a.service"}}


def test_a_unit_that_is_gone_is_stopped(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, None)

    assert rehearsal.decide() == {"stop": {"a.service"}}


def test_a_unit_that_is_gone_may_ask_to_run_on(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", f"[Unit]\nX-StopOnRemoval=false\n{_OLD}", None)

    assert rehearsal.decide() == {}


def test_a_unit_that_became_masked_is_stopped(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, None)
    (rehearsal.new.path / "a.service").symlink_to("/dev/null")

    assert rehearsal.decide() == {"stop": {"a.service"}}


def test_active_targets_are_started_and_not_talked_about(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.target", "", "")

    assert rehearsal.decide() == {"start": {"a.target"}, "hidden": {"a.target"}}


def test_a_target_that_orders_others_is_stopped_first(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.target", "", "[Unit]\nX-StopOnReconfiguration=true\n")

    assert rehearsal.decide()["stop"] == {"a.target"}


def test_a_socket_is_started_instead_of_its_service(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, _NEW)
    rehearsal.unit("a.socket", "", "")

    assert rehearsal.decide() == {"stop": {"a.service", "a.socket"}, "start": {"a.socket"}}


def test_a_service_may_deny_that_its_socket_starts_it(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, f"{_NEW}X-NotSocketActivated=true\n")
    rehearsal.unit("a.socket", "", "")

    assert rehearsal.decide()["start"] == {"a.service", "a.socket"}


@pytest.mark.parametrize("name", ["a.slice", "a.path", "a.socket"])
def test_what_follows_a_reload_of_systemd_by_itself_is_left_alone(
    rehearsal: Rehearsal, name: str
) -> None:
    rehearsal.unit(name, "[X]\na=b\n", "[X]\na=c\n")

    assert rehearsal.decide() == {}


def test_a_timer_is_restarted(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.timer", "[Timer]\nOnCalendar=daily\n", "[Timer]\nOnCalendar=weekly\n")

    assert rehearsal.decide() == {"restart": {"a.timer"}}


def test_other_options_of_a_mount_are_a_remount_and_another_source_a_new_one(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.unit("a.mount", "[Mount]\nOptions=ro\n", "[Mount]\nOptions=rw\n")
    rehearsal.unit("b.mount", "[Mount]\nWhat=a\n", "[Mount]\nWhat=b\n")

    assert rehearsal.decide() == {"reload": {"a.mount"}, "restart": {"b.mount"}}


def test_a_drop_in_that_changes_restarts_a_unit_of_the_distribution(rehearsal: Rehearsal) -> None:
    (rehearsal.old.vendor / "v.service").write_text(f"{_OLD}X-StopIfChanged=false\n")
    (rehearsal.new.path / "v.service.d").mkdir()
    (rehearsal.new.path / "v.service.d/overrides.conf").write_text("[Service]\nUser=b\n")
    fragment = "/usr/lib/systemd/system/v.service"
    rehearsal.loaded["v.service"] = Loaded("v.service", "active", fragment=fragment)

    assert rehearsal.decide() == {"restart": {"v.service"}}


def test_a_unit_that_no_file_describes_is_none_of_our_business(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, _NEW)
    rehearsal.loaded["a.service"] = Loaded("a.service", "active", fragment="/run/systemd/x")

    assert rehearsal.decide() == {}


def test_what_an_interrupted_switch_left_undone_is_done_now(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, _OLD)

    assert rehearsal.decide(start={"a.service"}) == {"start": {"a.service"}}


def test_what_is_to_be_restarted_is_not_reloaded_as_well(rehearsal: Rehearsal) -> None:
    rehearsal.unit("a.service", _OLD, _NEW)

    assert "reload" not in rehearsal.decide(reload={"a.service"})
