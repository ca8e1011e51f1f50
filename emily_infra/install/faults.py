"""Why a host is not installed, or not yet."""

from emily_infra.errors import EmilyError


class NotDescribed(EmilyError):
    """host.yaml does not say where the system goes."""

    code = "INS001"


class NotAnInstaller(EmilyError):
    """The machine at this address is at work, or occupied."""

    code = "INS002"


class Lacks(EmilyError):
    """The machine has not all that it takes to install a system from it."""

    code = "INS003"


class TooNew(EmilyError):
    """The pools would have features that the host's own ZFS does not know."""

    code = "INS004"


class WrongSystem(EmilyError):
    """A built system is not that of this host.yaml."""

    code = "INS005"


class NotBootable(EmilyError):
    """The next boot would not find the system."""

    code = "INS006"


class NotLetGo(EmilyError):
    """Something is still mounted or imported, so that the next boot might be refused its pools."""

    code = "INS007"
