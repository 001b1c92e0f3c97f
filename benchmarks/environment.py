"""What a report's figures belong to: machine, versions, model, and how busy the machine was."""

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from contenders import RELEASED
from stance.bundle import read_bundle
from stance.runtime import count_cores

PACKAGES = ("negotiation-stance", "numpy", "onnxruntime", "tokenizers", "torch", "transformers",
            "setfit", "sentence-transformers", "openvino")  # fmt: skip
CPUINFO = Path("/proc/cpuinfo")


def describe_environment(model: Path = RELEASED) -> dict:
    """Return machine, versions, model and load averages; call it before the work begins."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "machine": platform.machine(),
        "cpu": name_cpu(),
        "cores": count_cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "versions": versions,
        "model": read_bundle(model).sha256,
        "load": os.getloadavg(),
    }


def name_cpu() -> str:
    """Return the processor's name; with family and model, as a virtual machine may hide the name.

    On other systems than Linux it is what Python knows of it.
    """
    if not CPUINFO.is_file():
        return platform.processor()
    pairs = (line.partition(":") for line in CPUINFO.read_text().splitlines())
    facts = {key.strip(): value.strip() for key, _, value in pairs}
    if "model name" not in facts:
        return platform.processor()
    return f"{facts['model name']} (family {facts.get('cpu family')}, model {facts.get('model')})"


def write_report(report: dict, path: Path | None) -> None:
    """Write a report where there is a path for it; folders are made."""
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=1) + "\n")
