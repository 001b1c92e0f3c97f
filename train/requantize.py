"""Make the ONNX file of a trained model folder anew, from its weights.

Usage: STANCE_CORPORA=DIR python train/requantize.py MODEL [--data-dir data]

Exports and quantises as ``stance train`` does now, fits calibration and reliability anew on the
validation rows that the recipe names, and puts file and settings in the place of the old ones.
Nothing is trained (half a minute of processor time). A first stage was verified with the old file
and is taken away: add one with ``train/cascade.py``. Compare the folder before and after with
``benchmarks/quantisation.py --model AFTER --against BEFORE``.
"""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from calling import make_parser, run_script
from stance import __version__
from stance.bundle import CASCADE, ONNX, SETTINGS, Bundle, Settings, read_bundle, write_settings
from stance.errors import InputError
from stance.layers import find_corpora
from stance.selection import Rows, Source, select_rows
from stance.sets import find_data
from stance.training.calibrate import calibrate, score_validation
from stance.training.export import export_onnx
from stance.training.network import read_network
from stance.training.quantisation import quantize_checked, tokenize
from stance.training.recipe import Recipe, build


def main() -> None:
    """Make, replace, print."""
    parser = make_parser(__doc__)
    parser.add_argument("model", type=Path, help="model folder, changed in its place")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    options = parser.parse_args()
    bundle = requantize(options.model, find_data(options.data_dir))
    size = (bundle.folder / ONNX).stat().st_size / 1e6
    print(f"{bundle.folder / ONNX}: {size:.1f} MB; temperature {bundle.settings.temperature:.3f}, "
          f"sha256 {bundle.sha256[:12]}")  # fmt: skip


def requantize(model: Path, data: Path) -> Bundle:
    """Replace the ONNX file of a model folder.

    The new file is made, calibrated and checked beside the folder; until then nothing changes.

    Raises:
        InputError: the folder is damaged, or its validation rows are not here.
    """
    old = read_bundle(model)
    recipe: Recipe = build(Recipe, old.settings.recipe, str(model))
    if not recipe.data.validation:
        raise InputError(
            f"requantize {model}", expected="a model that this repository's rows calibrate",
            found="one of other rows", remedy="Train it again with stance train --data.",
        )  # fmt: skip
    rows = gather_validation(recipe, data, old.settings)
    with tempfile.TemporaryDirectory(dir=model.parent, prefix=f"{model.name}.") as scratch:
        new = Path(scratch) / "model"
        shutil.copytree(model, new, ignore=shutil.ignore_patterns("training", CASCADE))
        plain = Path(scratch) / "plain.onnx"
        export_onnx(read_network(new), plain)
        texts = [row.text for row in rows.validation]
        sentences = tokenize(new, texts, recipe.encoder.max_tokens)
        quantize_checked(plain, new / ONNX, sentences)
        settings = fit_anew(new, old.settings, recipe, rows)
        written = write_settings(new, replace(settings, cascade=None))
        for name in (ONNX, SETTINGS):
            (new / name).replace(model / name)
    (model / CASCADE).unlink(missing_ok=True)
    return replace(written, folder=model)


def fit_anew(folder: Path, settings: Settings, recipe: Recipe, rows: Rows) -> Settings:
    """Return the settings with what the folder's ONNX file says of the validation rows."""
    calibration, reliability = calibrate(score_validation(folder, recipe, rows), recipe, rows)
    return replace(
        settings, temperature=calibration.temperature, curves=calibration.curves,
        reliability=reliability, recipe=recipe.to_dict(),
        data=settings.data | rows.hashes, stance_version=__version__,
    )  # fmt: skip


def gather_validation(recipe: Recipe, data: Path, settings: Settings) -> Rows:
    """Return the recipe's validation rows, as a training would take them.

    Raises:
        InputError: they are of other sets than the model was calibrated on, as without the corpora.
    """
    source = Source(data, find_corpora(), recipe.data.release, settings.left_out)
    rows = select_rows(source, train=(), validation=recipe.data.validation)
    used = {name for name in settings.data if name.endswith("/validation")}
    if set(rows.hashes) != used:
        raise InputError(
            f"validation rows of {settings.name}", expected=", ".join(sorted(used)),
            found=", ".join(rows.hashes),
            remedy="Set STANCE_CORPORA as data/README.md says under 'Getting the texts'.",
        )  # fmt: skip
    return rows


if __name__ == "__main__":
    run_script(main)
