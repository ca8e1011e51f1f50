"""Findings about hosts that are well-formed: one small pure function a rule."""

from datetime import date

# Importing a concern enters its rules in the book.
from emily_infra.check import (  # noqa: F401
    acknowledgement,
    addressing,
    admin,
    backup,
    capacity,
    datasets,
    deploy,
    folders,
    memory,
    monitoring,
    mounts,
    network,
    outside,
    quiesce,
    replication,
    retention,
    runtime,
    runtime_models,
    samba,
    schedule,
    secret,
    storage,
    system,
    vdevs,
    wireguard,
)
from emily_infra.check.rule import RULES, Problem, Rule
from emily_infra.findings import Finding, in_order
from emily_infra.spec.host import Fleet, Host


def check(fleet: Fleet, today: date) -> list[Finding]:
    """Every finding of every rule, in the order of the files; acknowledged ones are marked."""
    fleet = dict(sorted(fleet.items()))  # whichever order the hosts are named in
    found = [
        _finding(fleet[problem.host], rule, problem)
        for rule in RULES.values()
        for problem in rule.check(fleet)
    ]
    return in_order(acknowledgement.weigh(fleet, found, today))


def _finding(host: Host, rule: Rule, problem: Problem) -> Finding:
    place = host.source.locate(problem.at)
    place = place.hidden() if problem.secret else place
    return Finding(
        rule.code, rule.severity, place, problem.message, problem.hint, problem.at, host.name
    )
