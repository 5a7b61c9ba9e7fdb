"""Models as they come from training: masks, types, pooling, truncation; checked against the same network in NumPy."""

import numpy as np
import pytest
from tiny_model import MAX_TOKENS, WEIGHTS, WIDTH, WORDS, forward

from ml_worker.model import Settings

TEXTS = ["the red wine tastes of oak and stone", "a green apple", "wine", "the apple is cold and red", ""]


def ids_of(text: str) -> list[int]:
    return [2, *(WORDS.index(word) for word in text.split()), 3]


def vectors_of(text: str) -> np.ndarray:
    ids = ids_of(text)
    return forward(ids, [0] * len(ids))


EXPECTED = {
    "pooling_mode_mean_tokens": lambda tokens: tokens.mean(axis=0),
    "pooling_mode_cls_token": lambda tokens: tokens[0],
    "pooling_mode_max_tokens": lambda tokens: tokens.max(axis=0),
    "pooling_mode_lasttoken": lambda tokens: tokens[-1],
}


@pytest.mark.parametrize("pooling", EXPECTED)
@pytest.mark.parametrize("normalise", [True, False])
def test_a_batch_gives_what_the_network_gives_for_each_text_alone(tiny, pooling: str, normalise: bool) -> None:
    values = tiny(pooling=pooling, normalise=normalise).embed(TEXTS).values
    assert values.shape == (len(TEXTS), WIDTH) and values.dtype == np.float32
    for text, value in zip(TEXTS, values, strict=True):
        expected = EXPECTED[pooling](vectors_of(text))
        np.testing.assert_allclose(value, expected / np.linalg.norm(expected) if normalise else expected, atol=1e-5)


def test_the_same_text_has_the_same_vector_in_every_batch(tiny) -> None:
    model = tiny()
    alone = {text: model.embed([text]).values[0] for text in TEXTS}
    random = np.random.default_rng(1)
    for _ in range(20):
        batch = [TEXTS[index] for index in random.integers(0, len(TEXTS), size=random.integers(2, 40))]
        for text, value in zip(batch, model.embed(batch).values, strict=True):
            np.testing.assert_allclose(value, alone[text], atol=1e-5)


def test_many_small_runs_give_what_one_run_gives(tiny, tmp_path) -> None:
    whole = tiny().embed(TEXTS * 3)
    parts = Settings(threads=1, max_batch_tokens=2 * MAX_TOKENS)
    from ml_worker.folder import read_folder
    from ml_worker.model import Model

    again = Model(read_folder(tmp_path / "tiny"), parts).embed(TEXTS * 3)
    np.testing.assert_allclose(again.values, whole.values, atol=1e-5)
    assert again.tokens == whole.tokens


def test_counts_tokens_before_it_cuts(tiny) -> None:
    model = tiny()
    long = " ".join(["wine"] * 30)
    answer = model.embed(["wine", long])
    assert model.folder.max_tokens == MAX_TOKENS
    assert answer.tokens == [3, 32]
    np.testing.assert_allclose(answer.values[1], model.embed([" ".join(["wine"] * (MAX_TOKENS - 2))]).values[0], atol=1e-5)


def test_a_cross_encoder_reads_query_and_document_together(tiny) -> None:
    model = tiny(cross_encoder=True)
    assert model.reads_pairs and model.dimensions == 0
    pairs = [("red wine", "the wine tastes of oak"), ("red wine", "apple"), ("apple", "red wine")]
    answer = model.score(pairs)
    for (query, document), score in zip(pairs, answer.values, strict=True):
        first, second = ids_of(query), ids_of(document)[1:]
        hidden = forward(first + second, [0] * len(first) + [1] * len(second))
        assert score == pytest.approx(1 / (1 + np.exp(-(hidden[0] @ WEIGHTS["head"])[0])), abs=1e-5)


def test_an_embedding_model_scores_by_cosine(tiny) -> None:
    model = tiny(normalise=False)
    one, other = (each / np.linalg.norm(each) for each in model.embed(["red wine", "a green apple"]).values)
    (score,) = model.score([("red wine", "a green apple")]).values
    assert score == pytest.approx(one @ other, abs=1e-5)
    assert model.score([("wine", "wine")]).values[0] == pytest.approx(1, abs=1e-5)
