"""A stream of texts: cut into lists, and the answers to the texts that came last."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from stance.types import Prediction

BATCH = 512
BATCH_CHARACTERS = 1_000_000
KEPT_TEXTS = 2**15  # about 1 kB each
KEPT_CHARACTERS = 1000  # of a text: the longer ones hardly come again


def cut_stream(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield lists of texts, bounded in number and, for the sake of memory, in characters."""
    chunk: list[str] = []
    characters = 0
    for text in texts:
        chunk.append(text)
        characters += len(text) if isinstance(text, str) else 0
        if len(chunk) >= BATCH or characters >= BATCH_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


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
