"""Fit a model folder's calibration and reliability anew, by the promise of a recipe.

Usage: STANCE_CORPORA=DIR python train/recalibrate.py MODEL --recipe FILE [--data-dir data]

Weights, ONNX file and first stage stay, and so does every label; the scores, ``reliable`` and the
folder's sha256 change. The recipe is the one that made the model, but for its table [reliability].
Seconds; it comes before ``stance evaluate``.
"""

from dataclasses import replace
from pathlib import Path

from calling import make_parser, run_script
from requantize import fit_anew, gather_validation
from stance.bundle import Bundle, read_bundle, write_settings
from stance.errors import InputError
from stance.sets import find_data
from stance.training.recipe import Recipe, build, read_recipe


def main() -> None:
    """Fit, write, print."""
    parser = make_parser(__doc__)
    parser.add_argument("model", type=Path, help="model folder, changed in its place")
    parser.add_argument("--recipe", type=Path, required=True, help="recipe with the new promise")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    options = parser.parse_args()
    bundle = recalibrate(options.model, options.recipe, find_data(options.data_dir))
    settings = bundle.settings
    print(f"{bundle.folder}: temperature {settings.temperature:.3f}, "
          f"reliable {settings.reliability.coverage:.1%}, sha256 {bundle.sha256[:12]}")  # fmt: skip


def recalibrate(model: Path, recipe_path: Path, data: Path) -> Bundle:
    """Replace calibration, reliability and recipe in a model folder's settings.

    Raises:
        InputError: the folder is damaged, another recipe made it, or its validation rows are not
            here.
    """
    bundle, recipe = read_bundle(model), read_recipe(recipe_path)
    made: Recipe = build(Recipe, bundle.settings.recipe, str(model))
    if replace(made, reliability=recipe.reliability) != recipe or not recipe.data.validation:
        raise InputError(
            f"{recipe_path} for {model}",
            expected="the recipe that made the model, but for [reliability]",
            found="another recipe", remedy="Train it again with stance train.",
        )  # fmt: skip
    rows = gather_validation(recipe, data, bundle.settings)
    return write_settings(model, fit_anew(model, bundle.settings, recipe, rows))


if __name__ == "__main__":
    run_script(main)
