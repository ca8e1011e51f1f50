"""Every rule fires on its own wrong example and is silent on its right one."""

import pytest
import yaml

from emily_infra.check.rule import RULES, Rule, Scope
from emily_infra.spec.host import Host
from emily_infra.spec.source import read
from tests.hosts import findings, pebble, shipped


def example(rule: Rule, text: str) -> list[Host]:
    """The hosts of an example: parts over pebble, by name where the rule looks at a fleet."""
    data = read("example.yaml", text.encode())[0].data
    assert isinstance(data, dict)
    if rule.scope is Scope.FLEET:
        return [pebble(yaml.safe_dump(part), name) for name, part in data.items()]
    return [pebble(text)]


every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))


@every_rule
def test_a_rule_fires_on_its_wrong_example(rule: Rule) -> None:
    found = findings(*example(rule, rule.wrong))

    assert rule.code in {finding.code for finding in found}


@every_rule
def test_a_rule_is_silent_on_its_right_example(rule: Rule) -> None:
    found = findings(*example(rule, rule.right))

    assert rule.code not in {finding.code for finding in found}


@every_rule
def test_a_finding_points_at_a_place_and_names_the_next_move(rule: Rule) -> None:
    found = [f for f in findings(*example(rule, rule.wrong)) if f.code == rule.code]

    assert all(f.location.line > 1 and f.location.text.strip() for f in found)
    assert all(f.hint and f.message and f.message != rule.title for f in found)


@every_rule
def test_a_rule_tells_its_story(rule: Rule) -> None:
    assert rule.title
    assert not rule.title.endswith(".")
    assert len(rule.story) > 80


@pytest.mark.parametrize("name", ["ember", "pebble"])
def test_a_shipped_host_has_no_finding_that_blocks(name: str) -> None:
    assert [f for f in findings(shipped(name)) if f.blocks] == []
