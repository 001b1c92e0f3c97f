"""Objects of JSON: what is none is refused going in, what JSON has no form for goes out as text."""

import base64
import json
import math
import re
from typing import Any

from stance.errors import InputError

MAX_DEPTH = 100  # of lists and objects in each other; json's own limit depends on who calls it
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which UTF-8 cannot hold


class RepeatedKeyError(ValueError):
    """An object has two values for a key, of which one would be lost."""


def join_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of pairs that JSON names.

    Raises:
        RepeatedKeyError: a key stands there twice.
    """
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKeyError(next(key for key in keys if keys.count(key) > 1))
    return value


DECODER = json.JSONDecoder(object_pairs_hook=join_pairs)


def parse_object(line: str, where: str) -> dict[str, Any]:
    """Parse one JSON object, or say what stands there instead.

    Raises:
        InputError: it is no JSON, another value than an object, nested too deep, or a key is
            repeated or no Unicode text.
    """
    try:
        value = DECODER.decode(line)
    except RepeatedKeyError as error:
        raise InputError(
            where, expected="each key of an object once", found=f"'{error}' twice",
            remedy="Rename or delete one.",
        ) from None  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise InputError(
            where,
            expected="a JSON object",
            found=f"text that is not JSON ({error})",
            remedy="Mend the text, or get the file again.",
        ) from None
    if not isinstance(value, dict):
        raise InputError(
            where, expected="a JSON object", found=type(value).__name__,
            remedy="Write one object with named fields a line.",
        )  # fmt: skip
    check_depth(line, value, where)
    for key in value:
        if not key.isascii() and SURROGATE.search(key):
            raise InputError(
                where, expected="keys of Unicode text", found=ascii(key)[:60],
                remedy="Rename the key.",
            )  # fmt: skip
    return value


def check_depth(line: str, value: dict[str, Any], where: str) -> None:
    """Raise when lists and objects stand in each other too deep to be written again."""
    if line.count("[") + line.count("{") <= MAX_DEPTH:
        return
    depth = measure_depth(value)
    if depth > MAX_DEPTH:
        raise InputError(
            where, expected=f"lists and objects at most {MAX_DEPTH} deep", found=f"{depth} deep",
            remedy="Flatten the object, or write the inner one as text.",
        )  # fmt: skip


def measure_depth(value: Any) -> int:
    """Return how many lists and objects stand in each other, level by level."""
    depth, level = 0, [value]
    while level:
        depth += 1
        inner = (item.values() if isinstance(item, dict) else item for item in level)
        level = [item for items in inner for item in items if isinstance(item, dict | list)]
    return depth


def encode_object(row: dict[str, Any]) -> bytes:
    """Return one line of JSON for any row.

    What JSON has no form for is written as text (dates, decimals; bytes in base 64) or null (NaN,
    infinity); a lone surrogate, which UTF-8 cannot hold, makes its row ASCII with escapes.
    """
    try:
        line = json.dumps(row, ensure_ascii=False, allow_nan=False, default=to_plain) + "\n"
        return line.encode()
    except UnicodeEncodeError:
        return (json.dumps(row, allow_nan=False, default=to_plain) + "\n").encode()
    except (ValueError, TypeError):  # NaN, or an object with keys that are no strings
        return (json.dumps(to_plain(row), allow_nan=False) + "\n").encode()


def to_plain(value: Any) -> Any:
    """Return a value as JSON has it; what it has no form for becomes text or None."""
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
