"""Pressure files as the kernel writes them."""


def figures(stalled: float) -> str:
    """One that says so many per cent of the last ten seconds."""
    rest = "avg60=0.00 avg300=0.00 total=1"
    return f"some avg10={stalled:.2f} {rest}\nfull avg10={stalled:.2f} {rest}\n"
