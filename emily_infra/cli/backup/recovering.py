"""`emily-infra backup recover`."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.backup.faults import DONE, INCOMPLETE
from emily_infra.cli.arguments import Host
from emily_infra.cli.backup.passwords import Given, with_secrets
from emily_infra.cli.output import complain, mention, report
from emily_infra.cli.stopping import if_stopped

if TYPE_CHECKING:
    from emily_infra.backup.here import Here
    from emily_infra.backup.recovery.recover import Order, Plan, Recovered
    from emily_infra.backup.settings import Settings
    from emily_infra.spec import host as spec

Repository = Annotated[
    str, typer.Option("--repository", metavar="NAME", help="Restore from this one.")
]
Replica = Annotated[
    str, typer.Option("--replica", metavar="NAME", help="Show how to bring it back from there.")
]
Datasets = Annotated[
    list[str] | None,
    typer.Option("--dataset", metavar="NAME", help="Only this one; may be repeated."),
]
At = Annotated[
    str, typer.Option("--at", metavar="TIME", help="A copy not younger than this, in UTC.")
]
Root = Annotated[
    Path, typer.Option("--root", metavar="DIR", help="/mnt, where an installer mounts.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Of the repository; asked otherwise."),
]
EnvironmentFile = Annotated[
    Path | None,
    typer.Option("--environment-file", metavar="FILE", help="Keys for it: lines KEY=value."),
]
GoOn = Annotated[
    bool, typer.Option("--go-on", help="Also where snapshots were taken since it was begun.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be restored; write nothing.")
]


def recover(
    context: typer.Context,
    host: Host,
    repository: Repository = "",
    replica: Replica = "",
    dataset: Datasets = None,
    at: At = "",
    root: Root = Path("/"),
    password_file: PasswordFile = None,
    environment_file: EnvironmentFile = None,
    go_on: GoOn = False,
    dry_run: DryRun = False,
) -> None:
    """Bring all data of HOST back into its empty datasets, on the machine itself.

    For a machine that lost its pools, once `emily-infra install` or `apply` made them anew. It
    reads hosts/HOST/host.yaml, or where there is none what the host was told when it was installed.
    Each dataset is restored from the newest good copy, compared, and gets a first snapshot. It
    writes into nothing that holds data, and goes on where it was cut off. Exit codes: 0 done (or
    shown), 3 done but something is missing, 7 another run is at work,
    1 an error, 130 stopped by hand.
    """
    settings, described = _told(context.obj, host)
    if replica:
        _show_way_back(settings, replica, dataset)
        return
    name = _repository(settings, repository)
    with ExitStack() as stack:
        told = with_secrets(settings, name, Given(stack, password_file, environment_file))
        order = replace(_order(name, dataset, at, root), go_on=go_on)
        here = _here(told, root)
        done = _carry_out(here, order, dry_run)
    if done:
        _end(settings, done, name, described)
        missing = done.plan.missing or done.trouble or done.plan.is_partial
        raise typer.Exit(INCOMPLETE if missing else DONE)


def _told(config: Path, name: str) -> "tuple[Settings, spec.Host | None]":
    """The host as host.yaml describes it; without that, as the host was told when installed."""
    from emily_infra.backup.settings import DEFAULT, Settings, load

    if config != DEFAULT or not _is_described(name):
        settings = load(config)
        if settings.host != name:
            complain(f"{config} is about {settings.host}", f"recover that one, or mend {config}")
            raise typer.Exit(1)
        return settings, None
    import json

    from emily_infra.cli.show import well_formed
    from emily_infra.render import host_json

    described = well_formed(name)
    return Settings.model_validate_json(json.dumps(dict(host_json.settings(described)))), described


def _is_described(name: str) -> bool:
    folders = (Path.cwd(), *Path.cwd().parents)
    return any((folder / "hosts" / name / "host.yaml").is_file() for folder in folders)


def _repository(settings: "Settings", asked: str) -> str:
    from emily_infra.backup.here import named

    if asked or len(settings.repositories) != 1:
        if not asked:
            names = ", ".join(sorted(settings.repositories)) or "none"
            complain(f"from which repository? {settings.host} has {names}", "--repository NAME")
            raise typer.Exit(1)
        named(settings.repositories, asked, "repository")
        return asked
    return next(iter(settings.repositories))


def _order(name: str, datasets: list[str] | None, at: str, root: Path) -> "Order":
    from emily_infra.backup.recovery.recover import Order

    moment = None
    if at:
        try:
            moment = datetime.fromisoformat(at)
        except ValueError as error:
            raise typer.BadParameter(
                "a time such as 2026-11-20T02:00", param_hint="--at"
            ) from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Order(name, tuple(datasets or ()), moment, root.resolve())


def _here(settings: "Settings", root: Path) -> "Here":
    """This machine; what it will remember goes to the host, not into an installer's memory."""
    from emily_infra.backup.here import Here

    def below(path: Path) -> Path:
        return root.resolve() / path.relative_to("/")

    paths = settings.paths
    moved = {"state": below(paths.state), "metrics": below(paths.metrics),
             "cache": below(paths.cache)}  # fmt: skip
    told = settings.model_copy(update={"paths": paths.model_copy(update=moved)})
    return Here(told, tell=mention)


def _carry_out(here: "Here", order: "Order", dry_run: bool) -> "Recovered | None":
    from emily_infra.backup.recovery.recover import planned
    from emily_infra.backup.recovery.recover import recover as carry_out

    if dry_run:
        _show(planned(here, order))
        report("nothing was written")
        return None
    with if_stopped(f"{here.settings.host} is restored in part; run again, it goes on"):
        return carry_out(here, order, _show)


def _show(plan: "Plan") -> None:
    from emily_infra.cli.look import cell, show, table

    report(f"copy {plan.copy.id[:8]} of {plan.copy.time:%Y-%m-%d %H:%M:%SZ}")
    if plan.is_partial:
        report("it lacks files that could not be read when it was made; no whole one was chosen")
    if plan.newer:
        report(
            f"a newer one of {plan.newer.time:%Y-%m-%d %H:%M:%SZ} lacks files, and is passed over; "
            f"to take it all the same: --at {plan.newer.time:%Y-%m-%dT%H:%M:%S}"
        )
    shown = table("dataset", "to", "is")
    for plot in plan.plots:
        shown.add_row(cell(plot.dataset), cell(plot.place), cell(plot.standing))
    for dataset in plan.missing:
        shown.add_row(cell(dataset), cell("-"), cell("not in this copy", "yellow"))
    show(shown)


def _end(settings: "Settings", done: "Recovered", name: str, described: "spec.Host | None") -> None:
    """What came back, and what is left to a person."""
    from emily_infra.spec.units import approximately

    for dataset, given in done.given.items():
        report(f"{dataset}: {given.files} files and folders, {approximately(given.bytes)}")
    report(f"{settings.host} has its data back; {len(done.snapshots)} snapshots taken")
    for error in done.trouble:
        complain(f"{error.code}: {error}", error.hint)
    report("left to you:")
    from emily_infra.install.layout import secrets

    for secret, file in secrets(described.spec).items() if described else ():
        report(f"  put secret {secret} into {file}")
    exempt = [path for path, body in settings.datasets.items() if name not in body.repositories]
    for dataset in sorted(exempt):
        why = settings.datasets[dataset].exempt or f"it is not in {name}"
        report(f"  {dataset} stays empty: {why}")
    report(f"  copy once, which uploads only what is new: emily-infra backup offsite {name}")
    report("  see whether every promise is kept: emily-infra backup status")


def _show_way_back(settings: "Settings", name: str, datasets: list[str] | None) -> None:
    from emily_infra.backup.here import named
    from emily_infra.backup.recovery.way_back import commands

    named(settings.replicas, name, "replica")
    for line in commands(settings, name, datasets or ()):
        report(line)
