"""`check`: read the configuration, and build what can be built without starting anything."""

from argparse import Namespace

from emily_runtime.cli.output import DONE, Output
from emily_runtime.config import read


def run(arguments: Namespace, output: Output) -> int:
    """Refused where the configuration is wrong, or the tiers can't work with it."""
    config = read(arguments.config)
    arguments.language = config.language
    from emily_runtime.flags.flags import Flags
    from emily_runtime.flags.table import from_config
    from emily_runtime.mind.composing import settings

    settings(config)
    Flags(from_config(config.flags))
    address = f"http://{config.address}"
    text = f"{arguments.config}: ok, {address}"
    output.say(text, {"file": str(arguments.config), "ok": True, "address": address})
    return DONE
