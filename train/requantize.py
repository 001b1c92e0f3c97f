"""Make the ONNX file of a trained model folder anew, from its weights.

Usage: STANCE_CORPORA=DIR python train/requantize.py MODEL OUT [--data-dir data]

Exports and quantises as ``stance train`` does now, fits temperature and reliability on the
validation rows of real news anew, and writes a checked folder. Nothing is trained (a minute).
Compare the two with ``train/compare_export.py`` and ``benchmarks/quantisation.py``.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from stance import __version__
from stance.bundle import ONNX, read_bundle, write_settings
from stance.errors import StanceError
from stance.layers import find_corpora
from stance.sets import find_data, read_set
from stance.training.export import export_onnx, quantize
from stance.training.network import read_network
from stance.training.recipe import Recipe, build
from stance.training.run import calibrate


def requantize(model: Path, out: Path, data: Path) -> None:
    """Write ``out`` as ``model`` with another ONNX file."""
    bundle = read_bundle(model)
    rows = read_set(data, "realnews", "validation", find_corpora()).rows
    recipe: Recipe = build(Recipe, bundle.settings.recipe, str(model))
    shutil.copytree(model, out, ignore=shutil.ignore_patterns("training"))
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "model.onnx"
        export_onnx(read_network(model), plain)
        quantize(plain, out / ONNX)
    temperature, reliability = calibrate(out, recipe, rows)
    settings = replace(
        bundle.settings,
        temperature=temperature,
        reliability=reliability,
        stance_version=__version__,
    )
    written = write_settings(out, settings)
    size = (out / ONNX).stat().st_size / 1e6
    print(f"{out}: {size:.1f} MB, temperature {temperature:.3f}, sha256 {written.sha256[:12]}")


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path, help="a folder that does not exist")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    options = parser.parse_args()
    try:
        requantize(options.model, options.out, find_data(options.data_dir))
    except StanceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
