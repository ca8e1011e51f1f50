"""What tests ask."""

from emily_runtime.providers.model import Prompt, Turn


def prompt(
    text: str = "why is the tank slow?", most_tokens: int = 512, stop: tuple[str, ...] = ()
) -> Prompt:
    return Prompt((Turn("user", text),), most_tokens=most_tokens, stop=stop)
