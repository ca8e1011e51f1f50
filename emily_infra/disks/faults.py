"""Why something is not done to disks; nothing was changed unless the message says so."""

from emily_infra.errors import EmilyError


class Unknown(EmilyError):
    """The machine could not say what it would take to decide."""

    code = "DSK011"


class NotCreated(EmilyError):
    """The pool cannot be created as things are."""

    code = "DSK012"


class OtherwiseMeant(EmilyError):
    """ZFS would do, or has done, something else than was meant."""

    code = "DSK013"


class Stuck(EmilyError):
    """A pool does not write any more."""

    code = "DSK014"


class TooFewLeft(EmilyError):
    """Redundancy would be lost, or is lost already."""

    code = "DSK015"


class NoSuchDisk(EmilyError):
    """A name that no disk has."""

    code = "DSK016"


class NotTaken(EmilyError):
    """A disk that cannot take the place of another one."""

    code = "DSK017"


class NotEdited(EmilyError):
    """host.yaml could not be changed safely."""

    code = "DSK018"
