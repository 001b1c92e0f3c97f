"""A stream of texts or rows: cut into lists, and the answers to the texts that came last."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from stance.types import Prediction

BATCH = 512
BATCH_CHARACTERS = 1_000_000
ITEM_CHARACTERS = 50  # about what an item of a list or an object takes beside its text
KEPT_TEXTS = 2**15  # about 1 kB each
KEPT_CHARACTERS = 1000  # of a text: the longer ones hardly come again

Item = TypeVar("Item")


def cut_stream(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield lists of texts, bounded in number and, for the sake of memory, in characters."""
    return cut(texts, measure, BATCH, BATCH_CHARACTERS)


def cut(
    items: Iterable[Item], measure_item: Callable[[Item], int], number: int, characters: int
) -> Iterator[list[Item]]:
    """Yield lists of items, each ended by the item that reaches one of the bounds.

    Args:
        items: what to cut.
        measure_item: gives the characters of an item.
        number: of the items of a list, at most.
        characters: of a list, all but its last item, fewer than this.
    """
    chunk: list[Item] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += measure_item(item)
        if len(chunk) >= number or size >= characters:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def measure_row(row: dict[str, Any]) -> int:
    """Return about how many characters the values of a row take in memory."""
    return sum(map(measure, row.values()))


def measure(value: Any) -> int:
    """Return about how many characters a value takes in memory; a number or a date takes none."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(ITEM_CHARACTERS + measure(pair) for pair in value.items())
    if isinstance(value, list | tuple):
        return sum(ITEM_CHARACTERS + measure(item) for item in value)
    return 0


class Recent:
    """The predictions of the texts that came last: what comes again need not be read again.

    A prediction depends on its text alone, so that nothing tells where it comes from.
    """

    def __init__(self) -> None:
        self.known: OrderedDict[str, Prediction] = OrderedDict()

    def find(self, texts: Iterable[str]) -> dict[str, Prediction]:
        """Return the predictions of those texts that are known; they count as come now."""
        found = {}
        for text in texts:
            if (prediction := self.known.pop(text, None)) is not None:
                found[text] = self.known[text] = prediction
        return {text: copy(prediction) for text, prediction in found.items()}

    def keep(self, predictions: Sequence[Prediction]) -> None:
        """Take in new predictions; those that came longest ago make room."""
        for prediction in predictions:
            if len(prediction.text) <= KEPT_CHARACTERS:
                self.known[prediction.text] = copy(prediction)
        while len(self.known) > KEPT_TEXTS:
            self.known.popitem(last=False)


def copy(prediction: Prediction) -> Prediction:
    """Return a prediction whose scores are its own: whoever changes them changes no other's."""
    return replace(prediction, scores=dict(prediction.scores))
