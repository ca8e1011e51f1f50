"""The real sanoid, Debian's package, in a world; its clock is the world's."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from tests.backup.world import Done, World

PROGRAM = shutil.which("sanoid")
STEERED = """
BEGIN { my $now = shift @ARGV; *CORE::GLOBAL::time = sub () { $now }; }
my ($file, $share) = splice @ARGV, 0, 2;
my $text = do { local $/; open my $in, '<', $file or die $!; <$in> };
$text =~ s{/usr/share/sanoid}{$share}g;
eval $text;
die $@ if $@;
"""
"""Perl that runs FILE at the time NOW, with its own files from SHARE: arguments NOW FILE SHARE."""
_CONFIG = """\
[{dataset}]
  use_template = same
[template_same]
  autosnap = yes
  autoprune = yes
  frequently = 0
  hourly = {hourly}
  daily = {daily}
  weekly = {weekly}
  monthly = {monthly}
  yearly = {yearly}
"""


def configured(world: World, dataset: str, **counts: int) -> None:
    """The same counts as a policy of ours; the rest is as the package has it."""
    everything = {"hourly": 0, "daily": 0, "weekly": 0, "monthly": 0, "yearly": 0, **counts}
    folder = world.root / "sanoid"
    folder.mkdir(exist_ok=True)
    (folder / "sanoid.conf").write_text(_CONFIG.format(dataset=dataset, **everything))


def sanoid(world: World, *options: str) -> Done:
    """Run it once, in UTC; it looks at the pool and not at what it remembers."""
    assert PROGRAM
    usr = Path(PROGRAM).parents[1]
    folder = world.root / "sanoid"
    world.environment |= {"TZ": "UTC"}
    places = [f"--{name}={folder / name}" for name in ("cache-dir", "run-dir")]
    return world.program(
        "perl", f"-I{usr / 'share/perl5'}", "-e", STEERED, str(int(world.now().timestamp())),
        PROGRAM, str(usr / "share/sanoid"), f"--configdir={folder}", *places, "--force-update",
        *options,
    )  # fmt: skip


def instants(world: World, dataset: str, kind: str = "") -> list[datetime]:
    """When its snapshots (of one kind) were taken, the oldest first."""
    listed = world.zfs("list", "-Hp", "-t", "snapshot", "-d", "1", "-o", "name,creation", dataset)
    lines = [line.split("\t") for line in listed.splitlines()]
    found = [int(at) for name, at in lines if "@autosnap_" in name and name.endswith(kind)]
    return sorted(datetime.fromtimestamp(at, UTC) for at in found)
