"""Three stages of about a microsecond each, for all that hands things on."""

Levels = tuple[float, ...]

SIGNALS: Levels = (0.1, 0.9, 0.4, 0.7, 0.2)


def scaled(levels: Levels) -> Levels:
    """A stage's work: about a microsecond."""
    return tuple([0.9 * level for level in levels])


def centred(levels: Levels) -> Levels:
    """Another one's."""
    mean = sum(levels) / len(levels)
    return tuple([level - mean for level in levels])


def strongest(levels: Levels) -> float:
    """And a third one's."""
    return max(levels)


STAGES = (scaled, centred, strongest)
