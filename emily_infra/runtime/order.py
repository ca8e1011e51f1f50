"""What a host is asked to do with its two colours."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Kind(StrEnum):
    """What is to be done."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class Order(BaseModel):
    """One order; the id is how whoever gave it finds its record again."""

    model_config = ConfigDict(frozen=True)

    id: str = ""
    kind: Kind = Kind.DEPLOY
    window: float = 600.0
    """Seconds for which the new version is watched and the old one kept."""
    again: bool = False
    """Also where the version that the system brings runs already."""
