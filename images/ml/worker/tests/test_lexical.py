"""The model that the image brings: what it promises, and that what is checked into the repository is what is made."""

from pathlib import Path

import numpy as np

from ml_worker.folder import digest_of
from ml_worker.model import Model


def cosine(model: Model, one: str, other: str) -> float:
    a, b = model.embed([one, other]).values
    return float(a @ b)


def test_cosine_follows_shared_spelling(lexical: Model) -> None:
    text = "The operator reconciles agents into deployments"
    typo = cosine(lexical, text, "The operater reconciles agents into deploymnets")
    related = cosine(lexical, text, "Agents are reconciled by an operator")
    unrelated = cosine(lexical, text, "A mirror keeps layers near")
    assert 1 > typo > related > unrelated
    assert abs(unrelated) < 0.2


def test_long_texts_are_not_alike_for_being_long(lexical: Model) -> None:
    random = np.random.default_rng(5)
    texts = ["".join(chr(97 + letter) for letter in random.integers(0, 26, size=4000)) for _ in range(8)]
    values = lexical.embed(texts).values
    alike = values @ values.T - np.eye(len(texts))
    assert np.abs(alike).max() < 0.25


def test_case_accents_and_white_space_do_not_count(lexical: Model) -> None:
    assert cosine(lexical, "Crème  brûlée\n", "creme brulee") > 1 - 1e-5


def test_vectors_have_length_one_and_nothing_but_space_has_none(lexical: Model) -> None:
    values = lexical.embed(["a", "日本語のテキスト", "\U0001f600", " \t "]).values
    np.testing.assert_allclose(np.linalg.norm(values, axis=1), [1, 1, 1, 0], atol=1e-5)


def test_the_same_text_has_the_same_vector_in_every_batch(lexical: Model) -> None:
    texts = ["one", "two words", "x" * 3000, "a somewhat longer text " * 20]
    for text, value in zip(texts, lexical.embed(texts).values, strict=True):
        np.testing.assert_allclose(value, lexical.embed([text]).values[0], atol=1e-5)


def test_a_document_is_as_relevant_as_much_of_the_query_it_has(lexical: Model) -> None:
    query = "how to rebuild an image"
    documents = ["Weather: fine. " * 40, "Images are rebuilt when inputs change", "Notes. How to rebuild an image, and why. " + "More. " * 100]
    scores = lexical.score([(query, document) for document in documents]).values
    assert scores[0] < scores[1] < scores[2] <= 1 + 1e-5
    assert scores[2] > 0.8  # the comma after "image" is another n-gram


def test_an_empty_document_is_of_no_relevance(lexical: Model) -> None:
    assert lexical.score([("query", " "), (" ", "document")]).values.tolist() == [0, 0]


def test_a_text_that_is_far_too_long_is_known_to_be(lexical: Model) -> None:
    huge = "a b " * 1_000_000
    answer = lexical.embed([huge, "a", huge])
    assert answer.tokens[0] > lexical.folder.max_tokens and answer.tokens[1] == 3
    np.testing.assert_allclose(answer.values[0], lexical.embed([huge[:5000]]).values[0], atol=1e-5)
    # Only white space beyond what is looked at: not known to fit, so it doesn't.
    assert lexical.embed(["a" + " " * 1_000_000]).tokens[0] == lexical.folder.max_tokens + 1


def test_is_made_the_same_each_time(lexical_folder: Path, tmp_path: Path) -> None:
    from make_model import main

    main(tmp_path / "again")
    assert digest_of(tmp_path / "again") == digest_of(lexical_folder)
