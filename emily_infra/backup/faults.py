"""Why a backup command did not do its work, each with a code and an exit code."""

from emily_infra.errors import EmilyError

DONE, FAILED, INCOMPLETE, DIFFERS, BUSY = 0, 1, 3, 4, 7
"""Exit codes of `emily-infra backup`; 130 is a command stopped by hand."""


class BackupError(EmilyError):
    """Something of a backup failed."""

    code = "BKP000"
    exit_code = FAILED


class BadSettings(BackupError):
    """host.json is missing or not of this version."""

    code = "BKP001"


class Busy(BackupError):
    """Another run works on the same pool or repository."""

    code = "BKP002"
    exit_code = BUSY


class NotNamed(BackupError):
    """No dataset, repository or replica of this host has this name."""

    code = "BKP003"


class NotPrivate(BackupError):
    """This process may have no mounts of its own."""

    code = "BKP050"


class NotShown(BackupError):
    """What is mounted is not what was to be copied."""

    code = "BKP051"


class NothingToCopy(BackupError):
    """Not one dataset of a repository has a snapshot that can be read."""

    code = "BKP052"


class EvidenceBroken(BackupError):
    """The log of drills was changed after it was written."""

    code = "BKP060"


class NotCovered(BackupError):
    """No dataset of this host holds a path."""

    code = "BKP061"


class NoSuchVersion(BackupError):
    """Nothing that was kept holds a path, at that time or at all."""

    code = "BKP062"


class InTheWay(BackupError):
    """Something is where a restore was to write."""

    code = "BKP063"


class NoRoom(BackupError):
    """What is to be restored does not fit."""

    code = "BKP064"


class NotRestored(BackupError):
    """What was restored is not what was kept, or not all of it."""

    code = "BKP065"
