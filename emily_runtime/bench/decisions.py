"""The model that decisions are measured in: 12 joint states, 4 actions."""

from emily_runtime.mind.situation import Outlook, model

MODEL = model(Outlook())
PRECISION = 4.0
