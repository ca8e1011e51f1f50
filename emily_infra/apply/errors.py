"""Why a deploy did not begin, each with its exit code."""

from emily_infra.errors import EmilyError


class NotBegun(EmilyError):
    """Nothing was changed on the host."""

    code = "APL001"
    exit_code = 1


class Locked(NotBegun):
    """Somebody else is at work on the host."""

    code = "APL002"
    exit_code = 7


class StalePlan(NotBegun):
    """The host is not any more what the plan was made for."""

    code = "APL003"
    exit_code = 6


class OutOfReach(NotBegun):
    """The host could not be reached, before anything was changed."""

    code = "APL004"
    exit_code = 8


class Quarantined(NotBegun):
    """This very system went back on this host before."""

    code = "APL005"


class BuildFailed(EmilyError):
    """Nix could not build a host's system."""

    code = "APL006"


class NotAnswered(NotBegun):
    """The plan needs a yes from a person, and there is none to ask."""

    code = "APL007"


class Refused(NotBegun):
    """The plan holds something that apply never does by itself."""

    code = "APL008"


class KeyNotKnown(NotBegun):
    """Where the host must answer afterwards, its key would not be recognised."""

    code = "APL009"
