"""What restic, or a repository, can refuse; each with a code."""

from emily_infra.backup.faults import BUSY, DIFFERS, BackupError


class TooOld(BackupError):
    """restic is missing, or too old to tell its failures apart."""

    code = "BKP030"


class NoRepository(BackupError):
    """There is no repository where one should be."""

    code = "BKP031"


class InUse(BackupError):
    """Somebody else works on the repository."""

    code = "BKP032"
    exit_code = BUSY


class WrongPassword(BackupError):
    """The repository does not open with this password, or there is none to try."""

    code = "BKP033"


class OtherRepository(BackupError):
    """The repository is another one than ever before."""

    code = "BKP034"


class ResticFailed(BackupError):
    """restic did not do its work."""

    code = "BKP035"


class Damaged(BackupError):
    """A repository has lost data."""

    code = "BKP036"
    exit_code = DIFFERS


class Kept(BackupError):
    """Nothing is forgotten, because something is not as it should be."""

    code = "BKP037"


class AlreadyThere(BackupError):
    """A repository is where a new one was to be made."""

    code = "BKP038"


class BadEnvironment(BackupError):
    """The file with a repository's keys cannot be read."""

    code = "BKP039"
