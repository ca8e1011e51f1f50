"""`check`: read the configuration, and build what can be built without starting anything."""

from argparse import Namespace

from emily_runtime.cli.output import DONE, Output
from emily_runtime.config import read


def run(arguments: Namespace, output: Output) -> int:
    """Refused where the configuration is wrong, or what it sets up can't work with it."""
    config = read(arguments.config)
    arguments.language = config.language
    from emily_runtime.flags.flags import Flags
    from emily_runtime.flags.table import from_config
    from emily_runtime.mind import relief
    from emily_runtime.mind.composing import settings
    from emily_runtime.providers.setting_up import sites

    settings(config)
    relief.rules(config)
    Flags(from_config(config.flags))
    sites(config.llm, dict.fromkeys(config.providers, "any-key"))
    address = f"http://{config.address}"
    text = f"{arguments.config}: ok, {address}"
    output.say(text, {"file": str(arguments.config), "ok": True, "address": address})
    return DONE
