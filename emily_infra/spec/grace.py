"""When a thing that is due once a period counts as late; alerts and `backup status` agree on it."""


def grace(period: int) -> int:
    """Seconds after which it is late: a twelfth of the period more, at least an hour."""
    return period + max(3600, period // 12)
