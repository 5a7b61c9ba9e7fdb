"""Texts to token ids, and these to padded arrays of a size that memory can bear."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from ml_worker.fault import Fault
from ml_worker.folder import ModelFolder

Text = str | tuple[str, str]
"""A text, or a query and a document for a model that reads both at once."""

_CHARACTERS_A_TOKEN = 64
"""No text has so few tokens: what lies beyond the most tokens of a model times this is not even looked at."""

_CHARACTERS_AT_ONCE = 1_000_000
"""The tokenizer needs hundreds of bytes for each token, until its words are numbers."""


@dataclass(frozen=True)
class Encoded:
    ids: list[int]
    """Cut to what the model takes."""
    types: list[int]
    count: int
    """Of tokens before they were cut; of a text that is far too long, only that there are too many."""


@dataclass(frozen=True)
class Batch:
    """One run of the model: the texts `indexes`, padded to the longest of them."""

    indexes: list[int]
    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    token_type_ids: NDArray[np.int64]


class Tokens:
    def __init__(self, folder: ModelFolder, max_batch_tokens: int) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(folder.tokenizer))
        except Exception as error:  # the library raises nothing narrower
            raise Fault(f"{folder.tokenizer} is no tokenizer ({error}): fetch the model again") from error
        self._pad_id = (self._tokenizer.padding or {}).get("pad_id", 0)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(folder.max_tokens)
        self._max_tokens = folder.max_tokens
        self._lower_case = folder.lower_case
        self._max_batch_tokens = max_batch_tokens

    def encode(self, texts: Sequence[Text]) -> list[Encoded]:
        encoded: list[Encoded] = []
        given = [self._prepared(text) for text in texts]
        for start, end in _groups([_length(text) for text in given]):
            encodings = self._tokenizer.encode_batch(given[start:end])
            encoded += map(self._encoded, texts[start:end], given[start:end], encodings)
        return encoded

    def batches(self, encoded: Sequence[Encoded]) -> Iterator[Batch]:
        """Texts of like length together, so that little is padding."""
        order = sorted(range(len(encoded)), key=lambda index: len(encoded[index].ids))
        start = 0
        while start < len(order):
            end = start + 1
            while end < len(order) and len(encoded[order[end]].ids) * (end + 1 - start) <= self._max_batch_tokens:
                end += 1
            yield self._batch(order[start:end], encoded)
            start = end

    def _prepared(self, text: Text) -> Text:
        if not isinstance(text, str):
            return (self._prepared(text[0]), self._prepared(text[1]))  # type: ignore[return-value]
        beginning = text[: self._max_tokens * _CHARACTERS_A_TOKEN]
        return beginning.lower() if self._lower_case else beginning

    def _encoded(self, text: Text, given: Text, encoding: Encoding) -> Encoded:
        """What was cut off comes as more encodings, each with the special tokens around it again."""
        count = len(encoding.ids) + sum(len(more.ids) - sum(more.special_tokens_mask) for more in encoding.overflowing)
        if _length(given) < _length(text):
            count = max(count, self._max_tokens + 1)
        return Encoded(encoding.ids, encoding.type_ids, count)

    def _batch(self, indexes: list[int], encoded: Sequence[Encoded]) -> Batch:
        shape = (len(indexes), max(1, *(len(encoded[index].ids) for index in indexes)))
        input_ids = np.full(shape, self._pad_id, dtype=np.int64)
        attention_mask = np.zeros(shape, dtype=np.int64)
        token_type_ids = np.zeros(shape, dtype=np.int64)
        for row, index in enumerate(indexes):
            length = len(encoded[index].ids)
            input_ids[row, :length] = encoded[index].ids
            attention_mask[row, :length] = 1
            token_type_ids[row, :length] = encoded[index].types
        return Batch(indexes, input_ids, attention_mask, token_type_ids)


def _length(text: Text) -> int:
    return len(text) if isinstance(text, str) else len(text[0]) + len(text[1])


def _groups(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Start and end of runs of texts that have no more characters together than go at once; a longer one goes alone."""
    start, sum_ = 0, 0
    for index, length in enumerate(lengths):
        if index > start and sum_ + length > _CHARACTERS_AT_ONCE:
            yield start, index
            start, sum_ = index, 0
        sum_ += length
    if lengths:
        yield start, len(lengths)
