"""Words for an answer, asked of the language models in their order."""

from collections.abc import Sequence

from emily_runtime.mind.acting import Spoken


class Silent:
    """A voice with no language model behind it: it repeats what memory knows."""

    async def answer(self, _: str, recalled: Sequence[str], /) -> Spoken:
        """The nearest memory, and that it is no more than that."""
        return Spoken(recalled[0] if recalled else "", "memory", why="no language model is set up")
