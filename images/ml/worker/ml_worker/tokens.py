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


@dataclass(frozen=True)
class Batch:
    """One run of the model: the rows `indexes` of the texts, padded to the longest of them."""

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
        self._lower_case = folder.lower_case
        self._max_batch_tokens = max_batch_tokens

    def encode(self, texts: Sequence[Text]) -> tuple[list[Encoding], list[int]]:
        """Cut to what the model takes; and how many tokens each had before that."""
        given = [_lower(text) for text in texts] if self._lower_case else list(texts)
        encodings = self._tokenizer.encode_batch(given)
        return encodings, [_count(encoding) for encoding in encodings]

    def batches(self, encodings: Sequence[Encoding]) -> Iterator[Batch]:
        """Texts of like length together, so that little is padding."""
        order = sorted(range(len(encodings)), key=lambda index: len(encodings[index].ids))
        start = 0
        while start < len(order):
            end = start + 1
            while end < len(order) and len(encodings[order[end]].ids) * (end + 1 - start) <= self._max_batch_tokens:
                end += 1
            yield self._batch(order[start:end], encodings)
            start = end

    def _batch(self, indexes: list[int], encodings: Sequence[Encoding]) -> Batch:
        shape = (len(indexes), max(1, *(len(encodings[index].ids) for index in indexes)))
        input_ids = np.full(shape, self._pad_id, dtype=np.int64)
        attention_mask = np.zeros(shape, dtype=np.int64)
        token_type_ids = np.zeros(shape, dtype=np.int64)
        for row, index in enumerate(indexes):
            encoding = encodings[index]
            length = len(encoding.ids)
            input_ids[row, :length] = encoding.ids
            attention_mask[row, :length] = encoding.attention_mask
            token_type_ids[row, :length] = encoding.type_ids
        return Batch(indexes, input_ids, attention_mask, token_type_ids)


def _lower(text: Text) -> Text:
    return text.lower() if isinstance(text, str) else (text[0].lower(), text[1].lower())


def _count(encoding: Encoding) -> int:
    """Tokens before truncation: what was cut off comes as more encodings, each with the special tokens around it again."""
    cut = sum(len(more.ids) - sum(more.special_tokens_mask) for more in encoding.overflowing)
    return len(encoding.ids) + cut
