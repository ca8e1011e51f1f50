"""The stories of what can be wrong with host.yaml before any rule looks at it."""

from itertools import pairwise

from emily_infra.findings import Explanation, Severity


def _error(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _error(
        "YML001", "The file cannot be read, or is far too large",
        "host.yaml must be a plain file of at most 1 MiB. A host needs a few kilobytes; something "
        "else was probably copied in its place.",
        "# a file of 40 MB", "emily: 1\n# and a few hundred lines more",
    ),
    _error(
        "YML002", "The file is not text",
        "YAML is UTF-8 without control characters. An editor set to another encoding, or a paste "
        "from a terminal, brings such bytes.",
        'system: { time_zone: "Asia/\x07Seoul" }', "system: { time_zone: Asia/Seoul }",
    ),
    _error(
        "YML003", "The file is not YAML",
        "The parser stops at the first place that fits no rule of YAML; the fault is there or a "
        "little above. Tabs never indent.",
        "system:\n\thost_id: 8425e349", "system:\n  host_id: 8425e349",
    ),
    _error(
        "YML004", "There is more than one document",
        "A line of three dashes begins a new document. Each host has a file of its own.",
        "emily: 1\n---\nemily: 1", "emily: 1",
    ),
    _error(
        "YML005", "It is nested too deeply",
        "No part of host.yaml is deeper than eight levels; thirty-two is the limit.",
        "a: " + "[" * 40 + "]" * 40, "emily: 1",
    ),
    _error(
        "YML006", "It grows beyond reason",
        "An alias repeats what its anchor holds, and aliases of aliases multiply. A file is "
        "refused at 50,000 values, and a single text at 10,000 characters.",
        "a: &a [x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n"
            for before, name in pairwise("abcdefgh")
        ),
        "emily: 1",
    ),
    _error(
        "YML007", "An alias points at nothing",
        "*name repeats what stands after &name further up. It cannot point down, or into itself.",
        "system: *base", "base: &base { host_id: 8425e349 }",
    ),
    _error(
        "YML008", "A tag is not used here",
        "Tags such as !!python/object ask a parser to build things. host.yaml holds only text, "
        "numbers, lists and mappings.",
        "emily: !!int 1", "emily: 1",
    ),
    _error(
        "YML009", "A key is not a word",
        "YAML allows lists and mappings as keys; host.yaml does not. The merge key << belongs to "
        "YAML 1.1 and is refused too: share a whole mapping with an alias, or repeat the keys.",
        "? [a, b]\n: 1", "a: 1",
    ),
    _error(
        "YML010", "A key stands twice",
        "Most parsers silently take the last one, so that an edit of the first does nothing.",
        "emily: 1\nemily: 1", "emily: 1",
    ),
    _error(
        "SPC001", "This key is not known here",
        "A misspelt key would otherwise be ignored, and the setting with it.",
        "emily: 1\nsistem: {}", "emily: 1\nsystem: {}",
    ),
    _error(
        "SPC002", "A key is missing",
        "What can be derived or has a safe default is not asked for; this has neither.",
        "emily: 1\nsystem:\n  host_id: 8425e349",
        'emily: 1\nsystem:\n  host_id: 8425e349\n  state_version: "26.05"',
    ),
    _error(
        "SPC003", "This is a value of another kind",
        "A word where a list belongs, a number where text belongs. Nothing is converted by guess.",
        "emily: 1\nnetwork: lan", "emily: 1\nnetwork: { uplinks: {} }",
    ),
    _error(
        "SPC004", "This value is not possible here",
        "Sizes carry a unit, names follow the rules of the program that will use them, numbers "
        "have limits. The message says which.",
        "emily: 1\nsystem: { memory: { total: 128, arc: 40GiB } }",
        "emily: 1\nsystem: { memory: { total: 128GiB, arc: 40GiB } }",
    ),
    _error(
        "SPC005", "There are more faults than are shown",
        "A list of thousands helps nobody, and one indentation can cause them all. The first "
        "hundred are shown; the others show when those are mended.",
        "emily: 1\n" + "".join(f"key{number}: 1\n" for number in range(120)), "emily: 1",
    ),
)  # fmt: skip
