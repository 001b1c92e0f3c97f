"""The wheel alone, in a fresh environment, offline: no torch, right size, predicts."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

MEGABYTE = 1_000_000
MAX_WHEEL = 70 * MEGABYTE
MAX_INSTALL = 270 * MEGABYTE


def run(*command, **options) -> subprocess.CompletedProcess:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, root)
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def light(root, wheel, tmp_path_factory) -> Path:
    """A fresh environment with the wheel and its base dependencies."""
    folder = tmp_path_factory.mktemp("light")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-index", "--find-links",
        root / ".wheelhouse", wheel)  # fmt: skip
    return python


def test_wheel_is_small_and_typed(wheel):
    import zipfile

    assert wheel.stat().st_size <= MAX_WHEEL
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("stance/py.typed", "stance/actors.toml", "stance/report/analysis.html.j2",
                 "stance/report/templates/evaluation.html",
                 "stance/evaluation/benchmarks/gwsd.toml",
                 "stance/weights/negotiations/stance.json",
                 "stance/weights/negotiations/onnx/model_quantized.onnx"):  # fmt: skip
        assert name in names
    assert not any(name.endswith((".bin", ".pkl", ".pt", ".pyc")) for name in names)


def test_base_install_is_small(light):
    """The files that packages bring, weights included; Python's bytecode caches come on top."""
    (packages,) = (light.parent.parent / "lib").glob("*/site-packages")
    tools = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
    size = sum(
        path.stat().st_size
        for path in packages.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not path.relative_to(packages).parts[0].startswith(tools)
    )
    assert size <= MAX_INSTALL, f"{size / MEGABYTE:.0f} MB"


def test_predict_needs_no_torch(light, tmp_path):
    script = """
import json, sys, stance
one = stance.predict("Antonov urges the West to negotiate.")
heavy = [m for m in ("torch", "transformers", "datasets", "sklearn") if m in sys.modules]
print(json.dumps([one.label, one.holder.text if one.holder else None, heavy]))
try:
    import torch
except ModuleNotFoundError:
    print("no torch")
"""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = run(light, "-c", script, cwd=tmp_path, env=environment)
    first, second = done.stdout.splitlines()
    assert json.loads(first) == ["favor", "Antonov", []]
    assert second == "no torch"


def test_command_line_works_and_names_missing_extras(light, tmp_path):
    command = light.parent / "stance"
    done = run(command, "predict", "Kyiv walked out of the talks.", cwd=tmp_path)
    assert json.loads(done.stdout)["label"] == "against"
    (tmp_path / "in.txt").write_text("Kyiv walked out of the talks.\n")
    run(command, "score", "in.txt", "scored.csv", cwd=tmp_path)
    assert ",against," in (tmp_path / "scored.csv").read_text()
    for call, extra in (
        (["train", "--recipe", "x.toml", "--out", "y"], "train"),
        (["evaluate", "--out", "y.json", "--data-dir", "data"], "eval"),
        (["score", "in.txt", "out.parquet"], "corpus"),
        (["score", "in.txt", "out", "--engine", "ray"], "ray"),
        (["demo"], "demo"),
    ):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "articles.jsonl").write_text("")
        done = subprocess.run(
            [str(command), *call], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert done.returncode == 2, done.stderr
        assert f"negotiation-stance[{extra}]" in done.stderr
        assert "Traceback" not in done.stderr
