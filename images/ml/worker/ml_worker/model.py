"""A model that is loaded: texts go in, vectors or relevance scores come out, the same for a text whatever else is in its batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from ml_worker.fault import Fault
from ml_worker.folder import ModelFolder
from ml_worker.pooling import Vectors, normalise, pool
from ml_worker.tokens import Batch, Text, Tokens

_TOKEN_VECTORS = ("last_hidden_state", "token_embeddings")
_KNOWN_INPUTS = {"input_ids", "attention_mask", "token_type_ids", "position_ids"}


@dataclass(frozen=True)
class Settings:
    threads: int
    max_batch_tokens: int
    """Tokens, padding included, of one run of the model: bounds its memory."""
    device: str = "cpu"


@dataclass(frozen=True)
class Answer:
    values: Vectors
    """[texts, dimensions], or [pairs]."""
    tokens: list[int]
    """Of each text, before it was cut to what the model takes."""


class Model:
    def __init__(self, folder: ModelFolder, settings: Settings) -> None:
        self.folder = folder
        self._tokens = Tokens(folder, settings.max_batch_tokens)
        self._session = _session(folder, settings)
        self._inputs = {each.name for each in self._session.get_inputs()}
        if not {"input_ids"} <= self._inputs <= _KNOWN_INPUTS:
            raise Fault(f"{folder.onnx} takes {', '.join(sorted(self._inputs))}: only {', '.join(sorted(_KNOWN_INPUTS))} are known")
        self._outputs = [each.name for each in self._session.get_outputs()]
        self._output = self._choose("sentence_embedding", *_TOKEN_VECTORS, "logits")
        if folder.similarity == "maxsim":
            self._choose(*_TOKEN_VECTORS)
        self.provider: str = self._session.get_providers()[0]
        self.dimensions = 0 if self.reads_pairs else self.embed(["warm-up"]).values.shape[1]

    @property
    def reads_pairs(self) -> bool:
        """A cross-encoder: it scores a query and a document read together, and has no vectors to give."""
        return self._output == "logits"

    def embed(self, texts: Sequence[str]) -> Answer:
        encoded = self._tokens.encode(texts)
        rows: list[Vectors | None] = [None] * len(texts)
        for batch in self._tokens.batches(encoded):
            vectors = self._vectors(batch)
            for row, index in enumerate(batch.indexes):
                rows[index] = vectors[row]
        return Answer(np.stack(rows), [each.count for each in encoded])  # type: ignore[arg-type]

    def score(self, pairs: Sequence[tuple[str, str]]) -> Answer:
        """How relevant each pair's document is to its query; comparable between pairs of one query."""
        if self.reads_pairs:
            return self._score_together(pairs)
        return self._score_apart(pairs)

    def _score_together(self, pairs: Sequence[Text]) -> Answer:
        encoded = self._tokens.encode(pairs)
        scores = np.zeros(len(pairs), dtype=np.float32)
        for batch in self._tokens.batches(encoded):
            logits = self._run(batch, self._output)
            if logits.shape != (len(batch.indexes), 1):
                raise Fault(f"{self.folder.onnx} gives logits of shape {logits.shape}: a re-ranker has one for each pair")
            scores[batch.indexes] = 1 / (1 + np.exp(-logits[:, 0]))
        return Answer(scores, [each.count for each in encoded])

    def _score_apart(self, pairs: Sequence[tuple[str, str]]) -> Answer:
        late = self.folder.similarity == "maxsim"
        represent = self._token_vectors if late else self._vectors
        compare = _maxsim if late else _cosine if self.folder.similarity == "cosine" else np.dot
        queries = list(dict.fromkeys(query for query, _ in pairs))
        known: dict[str, Vectors] = {}
        for batch in self._tokens.batches(self._tokens.encode(queries)):
            known |= dict(zip((queries[index] for index in batch.indexes), represent(batch), strict=True))
        encoded = self._tokens.encode([document for _, document in pairs])
        scores = np.zeros(len(pairs), dtype=np.float32)
        # Run by run: the vectors of all documents' tokens would be hundreds of megabytes.
        for batch in self._tokens.batches(encoded):
            for index, document in zip(batch.indexes, represent(batch), strict=True):
                scores[index] = compare(known[pairs[index][0]], document)
        return Answer(scores, [each.count for each in encoded])

    def _vectors(self, batch: Batch) -> Vectors:
        output = self._run(batch, self._output)
        vectors = pool(output, batch.attention_mask, self.folder.pooling) if output.ndim == 3 else output
        return normalise(vectors) if self.folder.normalise else vectors

    def _token_vectors(self, batch: Batch) -> list[Vectors]:
        """Each text's own, of length 1 and without those that say nothing."""
        output = self._run(batch, self._choose(*_TOKEN_VECTORS))
        kept = (normalise(tokens[mask == 1]) for tokens, mask in zip(output, batch.attention_mask, strict=True))
        return [tokens[np.any(tokens != 0, axis=1)] for tokens in kept]

    def _run(self, batch: Batch, output: str) -> Vectors:
        shape = batch.input_ids.shape
        given = {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "token_type_ids": batch.token_type_ids,
            "position_ids": np.broadcast_to(np.arange(shape[1], dtype=np.int64), shape),
        }
        (values,) = self._session.run([output], {name: given[name] for name in self._inputs})
        return np.asarray(values, dtype=np.float32)

    def _choose(self, *wanted: str) -> str:
        for name in wanted:
            if name in self._outputs:
                return name
        raise Fault(f"{self.folder.onnx} gives {', '.join(self._outputs)}: {' or '.join(wanted)} is needed")


def _cosine(query: Vectors, document: Vectors) -> float:
    return float(normalise(query) @ normalise(document))


def _maxsim(query: Vectors, document: Vectors) -> float:
    """For each token of the query its best match in the document; the mean of these."""
    if len(query) == 0 or len(document) == 0:
        return 0.0
    return float((query @ document.T).max(axis=1).mean())


def _session(folder: ModelFolder, settings: Settings) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    # Threads that spin between requests burn the CPU share of a container that waits.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    providers = _providers(settings.device)
    try:
        session = ort.InferenceSession(str(folder.onnx), options, providers=providers)
    except Exception as error:  # the library raises nothing narrower
        raise Fault(f"{folder.onnx} can't be loaded: {str(error).splitlines()[0]}") from error
    if settings.device == "cuda" and session.get_providers()[0] != "CUDAExecutionProvider":
        raise Fault("DEVICE=cuda, and no GPU can be used: run with --gpus all (NVIDIA's container toolkit), or use the cpu image")
    return session


def _providers(device: str) -> list[str | tuple[str, dict[str, str]]]:
    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise Fault("DEVICE=cuda, and this image has ONNX Runtime for CPUs: use the variant cuda")
    ort.preload_dlls()  # CUDA's and cuDNN's, from their wheels
    # TF32 would round to ten bits.
    return [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"]
