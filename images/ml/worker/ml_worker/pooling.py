"""From the vectors of a text's tokens to the vector of the text. What is padding never counts."""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Mask = NDArray[np.int64]

POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "last",
}
"""Names of sentence-transformers' 1_Pooling/config.json, and ours."""


def pool(tokens: Vectors, mask: Mask, pooling: str) -> Vectors:
    """tokens [texts, tokens, dimensions], mask [texts, tokens] (1: a token, 0: padding) -> [texts, dimensions]."""
    if pooling == "cls":
        return tokens[:, 0]
    if pooling == "last":
        last = mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1)
        return tokens[np.arange(len(tokens)), last]
    if pooling == "max":
        return np.where(mask[:, :, None] == 1, tokens, -np.inf).max(axis=1).astype(np.float32)
    weights = mask.astype(np.float32)
    return np.einsum("tnd,tn->td", tokens, weights) / np.maximum(weights.sum(axis=1, keepdims=True), 1)


def normalise(vectors: Vectors) -> Vectors:
    """To length 1 over the last axis; a zero vector stays one."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)
