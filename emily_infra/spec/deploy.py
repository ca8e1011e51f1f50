"""How operators reach the host, and what a deploy must prove before it stays."""

from typing import Annotated, Literal

from pydantic import Field

from emily_infra.spec.base import Shaped, Strict
from emily_infra.spec.names import Address, Network, UserName, Word
from emily_infra.spec.units import Duration

RESERVE = Duration.parse("15s")
"""Of confirm_within: what a new connection and the word that all is well may take."""

Argument = Annotated[
    str,
    Shaped(r"[^\x00-\x1f\x7f]{1,1000}", "an argument of a command",
           "one word of the command line, on one line; no shell reads it"),
]  # fmt: skip


class OwnCheck(Strict):
    """A command of your own that must succeed on the new system, run as root."""

    command: Annotated[
        tuple[Argument, ...],
        Field(
            min_length=1,
            max_length=50,
            description="Program and arguments as a list; no shell reads it. 0 is success.",
        ),
    ]
    grace: Annotated[
        Duration,
        Field(
            le=Duration.parse("30min"),
            description="It is not asked before: what is still starting proves nothing.",
        ),
    ] = Duration.parse("0s")
    interval: Annotated[
        Duration,
        Field(
            ge=Duration.parse("1s"),
            le=Duration.parse("5min"),
            description="How often it is asked, until it succeeds twice in a row. A try may take "
            "as long, 10s at least.",
        ),
    ] = Duration.parse("5s")
    deadline: Annotated[
        Duration,
        Field(
            ge=Duration.parse("1s"),
            le=Duration.parse("1h"),
            description="By when it must have succeeded, counted from the end of the activation.",
        ),
    ] = Duration.parse("1min")
    severity: Annotated[
        Literal["critical", "warning"],
        Field(description="critical undoes the deploy, warning is only reported."),
    ] = "critical"

    @property
    def soonest(self) -> Duration:
        """When it can have succeeded twice at the earliest."""
        return Duration(self.grace + self.interval)


class Deploy(Strict):
    """How operators reach the host, and when a deploy counts as good."""

    address: Annotated[Address, Field(description="Where SSH connects to.")]
    operators: Annotated[
        tuple[Network, ...],
        Field(
            min_length=1,
            description="Where people connect from; check keeps the door open for them.",
        ),
    ]
    user: Annotated[
        UserName,
        Field(description="Who logs in. Not root: sudo makes it root, for every command."),
    ] = "root"
    tags: Annotated[
        tuple[Word, ...],
        Field(max_length=20, description="Groups of hosts that apply can be told, such as lab."),
    ] = ()
    activate_within: Annotated[
        Duration,
        Field(
            ge=Duration.parse("30s"),
            le=Duration.parse("2h"),
            description="How long switching to the new system may take before the host goes back.",
        ),
    ] = Duration.parse("10min")
    confirm_within: Annotated[
        Duration,
        Field(
            ge=Duration.parse("30s"),
            le=Duration.parse("1h"),
            description="How long the host then waits for the word that all is well before it "
            "goes back.",
        ),
    ] = Duration.parse("2min")
    reboot: Annotated[
        Literal["manual", "allowed"],
        Field(
            description="allowed: apply gets there by a reboot where a change needs one or counts "
            "only after one, such as a kernel; unconfirmed, the host goes back by one more. "
            "manual: apply switches what it can, and says which reboot is left to do.",
        ),
    ] = "manual"
    checks: Annotated[
        dict[Word, OwnCheck],
        Field(
            max_length=50,
            description="Your own checks by name, beside those that follow from this file.",
        ),
    ] = {}

    @property
    def patience(self) -> Duration:
        """By when every check must be through, counted from the end of the activation."""
        return Duration(self.confirm_within - RESERVE)
