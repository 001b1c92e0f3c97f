"""What position a statement takes toward negotiations, whose it is, and how sure we are.

Names are loaded when they are first used, so that ``import stance`` costs nothing.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stance.errors import StanceError
    from stance.model import Model, analyze, load, predict
    from stance.types import LABELS, Analysis, Prediction

__version__ = version("negotiation-stance")

_HOMES = {
    "LABELS": "stance.types",
    "Analysis": "stance.types",
    "Prediction": "stance.types",
    "StanceError": "stance.errors",
    "Model": "stance.model",
    "analyze": "stance.model",
    "load": "stance.model",
    "predict": "stance.model",
}

__all__ = [
    "LABELS", "Analysis", "Model", "Prediction", "StanceError", "analyze", "load", "predict",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'stance' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
