"""What a tier says when it can't work with what it was given."""


class Refusal(ValueError):
    """A configuration or an input that can't be computed with; the text says why."""


class TooLarge(Refusal):
    """More of something than an exact computation may take."""

    def __init__(self, what: str, count: int, limit: int) -> None:
        super().__init__(f"{count:,} {what}; exact computation takes at most {limit:,}")
        self.what = what
        self.count = count
        self.limit = limit


class Unstable(Refusal):
    """A linear system that grows without end, with the eigenvalue and the transmitters to blame."""

    def __init__(self, eigenvalue: complex, transmitters: tuple[str, ...]) -> None:
        names = " and ".join(transmitters)
        super().__init__(
            f"the substrate never comes to rest: eigenvalue {eigenvalue:.4g} per second, made by "
            f"{names}; weaken the coupling among them, or raise their rate"
        )
        self.eigenvalue = eigenvalue
        self.transmitters = transmitters


class Impossible(Refusal):
    """An outcome that the belief rules out, so that Bayes' rule has no answer."""

    def __init__(self, outcome: int) -> None:
        super().__init__(f"outcome {outcome} has probability 0 under the belief")
        self.outcome = outcome
