"""Why a host's data is not given back."""

from emily_infra.backup.faults import BackupError


class NotEmpty(BackupError):
    """A dataset holds data that this recovery did not bring."""

    code = "BKP090"


class NotReady(BackupError):
    """A dataset is not there, or not mounted where its data belongs."""

    code = "BKP091"


class NothingToGive(BackupError):
    """The repository has no copy that would serve."""

    code = "BKP092"


class LivedIn(BackupError):
    """A dataset was begun, and may have been worked with since."""

    code = "BKP094"


class NotWhole(BackupError):
    """What was restored is not what the copy holds."""

    code = "BKP093"
