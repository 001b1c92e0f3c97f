"""The rest of a model folder, once the network is in it: calibration, card and settings."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stance import __version__, files
from stance.bundle import CARD, Bundle, Settings, write_settings
from stance.selection import Rows
from stance.training.calibrate import calibrate, flag, score_validation
from stance.training.encoders import Encoder
from stance.training.held_out import describe_held_out
from stance.training.recipe import Recipe
from stance.types import LABELS

log = logging.getLogger(__name__)


def finish_folder(out: Path, recipe: Recipe, encoder: Encoder, rows: Rows) -> Bundle:
    """Calibrate on the outputs of the ONNX file and write the card and the settings."""
    logits = score_validation(out, recipe, rows)
    found = logits.argmax(axis=1)
    calibration, reliability = calibrate(logits, recipe, rows)
    log.info("temperature %.3f; reliable: %.1f %% of %d validation rows",
             calibration.temperature, 100 * reliability.coverage, reliability.n)  # fmt: skip
    confidence = calibration.calibrate(logits, rows.labels).max(axis=1)
    reliable = flag(reliability, confidence, found, rows.labels)
    figures = describe_held_out(rows.validation, rows.labels, found, reliable)
    log.info("validation: %s", "\n".join(line for line in figures if line))
    files.write_text(out / CARD, describe(recipe, encoder, rows, figures))
    return write_settings(
        out,
        Settings(
            name=recipe.name,
            labels=rows.labels,
            max_tokens=recipe.encoder.max_tokens,
            temperature=calibration.temperature,
            curves=calibration.curves,
            reliability=reliability,
            recipe=recipe.to_dict(),
            data=rows.hashes,
            left_out=rows.left_out,
            encoder={"name": encoder.name, "revision": encoder.revision, "sha256": encoder.sha256},
            stance_version=__version__,
        ),
    )


def describe(recipe: Recipe, encoder: Encoder, rows: Rows, figures: Sequence[str]) -> str:
    """Return a short card; the released model's is generated from its evaluation."""
    facts: dict[str, Any] = {
        "started from": f"{encoder.name}, sha256 of its weights {encoder.sha256}",
        "rows": f"{len(rows.train)} trained on, {len(rows.validation)} validated on",
        "data": ", ".join(rows.hashes),
        "labels": ", ".join(rows.labels),
    }
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    task = "Stance toward negotiations." if rows.labels == LABELS else "A classifier of statements."
    return "\n".join(
        [f"# {recipe.name}", "", task, "", *lines, "", "## Validation rows", "", *figures, ""]
    )
