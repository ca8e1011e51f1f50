"""Why snapshots did not get to a second host, or were not taken in."""

from emily_infra.backup.faults import BackupError


class NotTaken(BackupError):
    """The far side does not do what was asked of it."""

    code = "BKP080"


class NoBase(BackupError):
    """Nothing that both sides have is the newest on the far side: nothing can be added to it."""

    code = "BKP081"


class NotSealed(BackupError):
    """What is encrypted here would lie open there, or a key is not loaded."""

    code = "BKP082"


class NoRoom(BackupError):
    """The far side has less room than the next snapshot takes."""

    code = "BKP083"


class FarFailed(BackupError):
    """The far side was reached and failed; the message is its own."""

    code = "BKP084"


class NotReached(BackupError):
    """No connection to the far side, or it broke."""

    code = "BKP085"


class Disagree(BackupError):
    """The two sides are told different things about each other."""

    code = "BKP086"


class Gone(BackupError):
    """What was sent before is not on the far side any more."""

    code = "BKP087"


class SomeBehind(BackupError):
    """Not every dataset got to the far side."""

    code = "BKP088"


class NothingToSend(BackupError):
    """There is no snapshot of ours, or no such dataset any more."""

    code = "BKP089"
