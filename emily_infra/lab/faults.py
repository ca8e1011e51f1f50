"""What can go wrong with a lab."""

from emily_infra.errors import EmilyError


class NoMirror(EmilyError):
    """It is not known where Debian's packages come from."""

    code = "LAB001"


class NoImage(EmilyError):
    """The machine's root could not be built."""

    code = "LAB002"


class NoRoom(EmilyError):
    """Too little disk or memory for a lab."""

    code = "LAB003"


class NotUp(EmilyError):
    """The lab has to run for this."""

    code = "LAB004"


class NoAnswer(EmilyError):
    """The machine was started and does not answer."""

    code = "LAB005"


class Forgotten(EmilyError):
    """What a lab wrote down of itself cannot be read."""

    code = "LAB007"


class LacksPrograms(EmilyError):
    """Programs are missing on the operator's machine."""

    code = "LAB006"
