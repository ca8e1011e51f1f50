"""Why a version of the runtime is not deployed, or cannot be asked about."""

from emily_infra.errors import EmilyError


class NoRuntime(EmilyError):
    """The host has no runtime, or one from before there were two colours."""

    code = "RUN010"


class NoAnswer(EmilyError):
    """A colour does not answer on its control socket, or with something else."""

    code = "RUN011"


class NothingToGoBackTo(EmilyError):
    """The other colour has never run, so it has no version."""

    code = "RUN012"


class UnderWay(EmilyError):
    """A deploy of the runtime is at work on the host."""

    code = "RUN013"
    exit_code = 7


class NotDeployed(EmilyError):
    """The new version was not moved to; the old one goes on."""

    code = "RUN014"


class WentBack(EmilyError):
    """The new version took, was worse, and the old one takes again."""

    code = "RUN015"
    exit_code = 3


class BothDown(EmilyError):
    """Neither colour answers."""

    code = "RUN016"
    exit_code = 4


class WayLost(EmilyError):
    """The connection broke while the host was at work; the host goes on."""

    code = "RUN018"
    exit_code = 8


class NotHeard(EmilyError):
    """The host was asked to deploy, and has stopped working on it."""

    code = "RUN017"
