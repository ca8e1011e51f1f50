"""A language model behind HTTP, whatever its dialect."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from emily_runtime.nerves.clock import Clock
from emily_runtime.providers.dialect import Dialect, Said, Told, Unlike
from emily_runtime.providers.events import Events, TooLong
from emily_runtime.providers.failures import Garbled, Late
from emily_runtime.providers.line import Line
from emily_runtime.providers.model import Completion, Part, Prompt
from emily_runtime.providers.prices import most_input_tokens
from emily_runtime.providers.site import Site

JSON, EVENTS = "application/json", "text/event-stream"


class Remote:
    """A provider that makes one call, and neither waits nor repeats."""

    def __init__(self, dialect: Dialect, site: Site, clock: Clock) -> None:
        self.name = site.name
        self._dialect = dialect
        self._site = site
        self._line = Line(site, clock)

    def ceiling(self, prompt: Prompt, /) -> int:
        """The price of all bytes as tokens, and of all tokens that may be written."""
        return self._site.price.of(most_input_tokens(prompt), prompt.most_tokens)

    async def complete(self, prompt: Prompt) -> Completion:
        """The answer; Failed."""
        async with aclosing(self._post(prompt, JSON)) as chunks:
            body = b"".join([chunk async for chunk in chunks])
        try:
            said = self._dialect.answer(body)
        except Unlike as error:
            raise self._garbled(error) from None
        return self._completion(prompt, said)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Part, None]:
        """The answer as it is written; Failed, also when it ends before it is whole."""
        said, events = Said(), Events()
        async with aclosing(self._post(prompt, EVENTS)) as chunks:
            async for chunk in chunks:
                for text in self._heard(events, chunk, said):
                    yield text
                if said.is_done:
                    break
        if not said.is_done:
            raise Late(self.name, "the stream ended before the answer did")
        yield self._completion(prompt, said)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._line.close()

    def _post(self, prompt: Prompt, wanted: str) -> AsyncGenerator[bytes, None]:
        body = self._dialect.request(self._site.model, prompt)
        if wanted == EVENTS:
            body |= self._dialect.streaming()
        headers = self._dialect.headers(self._site.key.reveal())
        return self._line.post(self._dialect.path, headers, body, wanted)

    def _heard(self, events: Events, chunk: bytes, said: Said) -> Iterator[str]:
        try:
            for data in events.fed(chunk):
                if text := self._dialect.heard(data, said):
                    yield text
        except Told as error:
            raise Late(self.name, self._site.clean(str(error))) from None
        except (Unlike, TooLong, UnicodeDecodeError) as error:
            raise self._garbled(error) from None

    def _garbled(self, error: ValueError) -> Garbled:
        return Garbled(self.name, self._site.clean(str(error)) or "an event without an end")

    def _completion(self, prompt: Prompt, said: Said) -> Completion:
        """Tokens that the provider did not count are taken at their most."""
        read = most_input_tokens(prompt) if said.input_tokens is None else said.input_tokens
        wrote = prompt.most_tokens if said.output_tokens is None else said.output_tokens
        cost = self._site.price.of(read, wrote)
        model = self._site.model
        return Completion(said.text, self.name, model, read, wrote, cost, ending=said.ending)
