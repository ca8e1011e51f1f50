"""From the configuration to the tiers' parameters, and from the last run's habits to a mind."""

from dataclasses import asdict, replace
from typing import Any

import msgspec
import numpy as np

from emily_runtime.config import Config
from emily_runtime.config.config import NAMED, TABLES
from emily_runtime.messages import Refused
from emily_runtime.mind.body import Body
from emily_runtime.mind.cycle import Mind, newborn
from emily_runtime.mind.records import Habits
from emily_runtime.mind.settings import Hypothesising, Inference, Settings
from emily_runtime.mind.situation import Outlook
from emily_runtime.mind.stimulus import Reading
from emily_runtime.tiers.allostasis import Forecast
from emily_runtime.tiers.alpha import Alpha
from emily_runtime.tiers.arrays import floats
from emily_runtime.tiers.habituation import Habituation
from emily_runtime.tiers.ignition import Ignition
from emily_runtime.tiers.reflex import Reflexes, Rule, reflexes
from emily_runtime.tiers.refusals import Refusal
from emily_runtime.tiers.substrate import Levels, Substrate
from emily_runtime.tiers.workspace import Rules


def settings(config: Config) -> Settings:
    """The parameters of all tiers; Refused where a tier can't work with them."""
    try:
        return Settings(
            alpha=Alpha(**asdict(config.alpha)),
            substrate=Substrate(**asdict(config.substrate)),
            workspace=_rules(config),
            inference=_inference(config),
            gflownet=Hypothesising(config.gflownet.count, config.gflownet.temperature),
            reflexes=_reflexes(config),
            reading=Reading(config.inference.trouble, config.inference.question),
        )
    except Refusal as refusal:
        raise Refused("EMY-1007", file=config.file, reason=refusal) from None


def plain(config: Config) -> dict[str, Any]:
    """The sections as JSON has them."""
    sections = {name: getattr(config, name) for name in (*TABLES, *NAMED)}
    found: dict[str, Any] = msgspec.to_builtins(sections)
    return found


def unplain(sections: dict[str, Any]) -> Config:
    """The configuration that plain() was given."""
    return msgspec.convert(sections, Config)


def awake(by: Settings, habits: Habits | None) -> Mind:
    """The state at the start of a run; Refusal where habits have another shape."""
    mind = newborn(by)
    if habits is None:
        return mind
    body = mind.body
    means = floats(habits.forecast, body.forecast.means.shape, "forecast")
    setpoint = floats(habits.setpoint, body.levels.setpoint.shape, "setpoint")
    levels = Levels(body.levels.process, np.clip(setpoint, 0.0, 1.0))
    return replace(mind, body=Body(0, levels, Forecast(means, body.forecast.rate)))


def _rules(config: Config) -> Rules:
    space = config.workspace
    return Rules(
        Ignition(space.steepness, space.recurrence, space.threshold),
        Habituation(space.habituation, space.recovery, space.novelty),
        space.retention,
        space.patience,
    )


def _inference(config: Config) -> Inference:
    given = config.inference
    outlook = Outlook(given.reliability, given.persistence, given.good, given.bad)
    return Inference(given.precision, given.horizon, given.looks, outlook)


def _reflexes(config: Config) -> Reflexes:
    return reflexes(
        Rule(name, one.reply, one.words, one.intensity) for name, one in config.reflexes.items()
    )
