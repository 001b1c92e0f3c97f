"""``stance demo``: a page on this machine to try the model."""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stance.commands import reading
from stance.errors import InputError, MissingExtraError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo",
        help="a page on this machine to try the model",
        description="Serve a page on which to paste an article, or pick one of the five, and see "
        "its statements, its actors and how sure the model is; CSV and JSON to download. Needs the "
        "extra 'demo' and no network. Only this machine reaches the page unless --host says "
        "otherwise.",
        epilog="example: stance demo --port 7860, then open http://127.0.0.1:7860 in a browser",
    )
    reading.add_options(parser)
    parser.add_argument(
        "--articles", type=Path, default="data/articles", help="folder of articles to pick from "
        "(default: %(default)s)"
    )  # fmt: skip
    parser.add_argument(
        "--host", default=LOOPBACK[0], help="address to listen at (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=parse_port, default=7860, help="port to listen at (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def parse_port(text: str) -> int:
    """Return a port."""
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"expected 1 to {2**16 - 1}, found {text}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if find_spec("gradio") is None:
        raise MissingExtraError("stance demo", "demo", "gradio")
    from stance.demo import find_articles, serve

    model = reading.load_reader(options, "stance demo")
    sys.stderr.write(f"http://{options.host}:{options.port} (stop with Ctrl+C)\n")
    if options.host not in LOOPBACK:
        sys.stderr.write("everybody who reaches this machine at that address can use the page\n")
    try:
        serve(
            lambda text: model.analyze(text, actors=options.actors),
            find_articles(options.articles), host=options.host, port=options.port,
        )  # fmt: skip
    except OSError as error:
        raise InputError(
            f"--host {options.host} --port {options.port}", expected="a free port of this machine",
            found=str(error).split(".")[0], remedy="Name another with --port.",
        ) from None  # fmt: skip
    return 0
