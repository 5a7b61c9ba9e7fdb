"""Makes the model that the image brings: lexical similarity, without weights from anywhere.

A text's bytes are its tokens. Each run of 3 to 6 of them is hashed to a row of a fixed sparse random projection to 384 dimensions
(Achlioptas 2003: -1, 0, 1 with chances 1/6, 2/3, 1/6; by Johnson and Lindenstrauss it keeps angles), and a text is the mean of its
rows. So the cosine of two texts follows how many n-grams they share: spelling, not meaning.

    python make_model.py FOLDER

The same folder, byte for byte, wherever it runs.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

DIMENSIONS = 384
ROWS = 1 << 14
SIZES = {3: 0.5, 4: 0.7, 5: 1.0, 6: 1.0}
"""Bytes of an n-gram, and its weight: the longer say more."""
MAX_TOKENS = 4096
PRIME = (1 << 31) - 1
BASE = 1_000_003
"""Products of two numbers below 2^31 stay within int64."""


def table() -> np.ndarray:
    """The projection, from a hash function and not from a random generator, whose sequence a library may change."""
    stream = hashlib.shake_256(b"waybill lexical 1").digest(ROWS * DIMENSIONS)
    drawn = np.frombuffer(stream, dtype=np.uint8).reshape(ROWS, DIMENSIONS)
    return (drawn >= 256 - 43).astype(np.int8) - (drawn < 43).astype(np.int8)


class Graph:
    """Collects nodes and constants; each call of an operator gives the name of its output."""

    def __init__(self) -> None:
        self.nodes: list = []
        self.constants: list = []

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def number(self, value: int) -> str:
        return self.constant(np.array([value], dtype=np.int64))

    def __call__(self, operator: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        name = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name


def network() -> ModelProto:
    graph = Graph()
    length = graph("Shape", "input_ids", start=1, end=2)
    last = max(SIZES) - 1
    ids = graph("Mul", "input_ids", "attention_mask")
    padding = graph.constant(np.array([0, 0, 0, last], dtype=np.int64))
    following = [graph("Pad", each, padding) for each in (ids, "attention_mask")]
    axis = graph.number(1)

    def shifted(padded: str, by: int) -> str:
        start = graph.number(by)
        return graph("Slice", padded, start, graph("Add", length, start), axis)

    rows = graph.constant(table())
    prime, base, buckets = graph.number(PRIME), graph.number(BASE), graph.number(ROWS)
    hashed, whole, total = ids, "attention_mask", None
    for size in range(2, last + 2):
        hashed = graph("Mod", graph("Add", graph("Mul", hashed, base), shifted(following[0], size - 1)), prime)
        whole = graph("Mul", whole, shifted(following[1], size - 1))  # 0 where the n-gram would reach over the text's end
        if size not in SIZES:
            continue
        # Another multiplication, so that rows of different sizes have nothing to do with each other.
        row = graph("Mod", graph("Mod", graph("Mul", hashed, graph.number(PRIME // (size + 1))), prime), buckets)
        weight = graph("Mul", graph("Cast", whole, to=TensorProto.FLOAT), graph.constant(np.array([SIZES[size]], dtype=np.float32)))
        vectors = graph("Cast", graph("Gather", rows, row), to=TensorProto.FLOAT)
        weighted = graph("Mul", vectors, graph("Unsqueeze", weight, graph.number(2)))
        total = weighted if total is None else graph("Add", total, weighted)
    graph("Identity", str(total), output="last_hidden_state")
    return _model(graph)


def _model(graph: Graph) -> ModelProto:
    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in ("input_ids", "attention_mask")]
    hidden = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["texts", "tokens", DIMENSIONS])
    made = helper.make_graph(graph.nodes, "lexical", ids, [hidden], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 21)], ir_version=10, producer_name="waybill")
    checker.check_model(model)
    return model


def tokenizer() -> Tokenizer:
    """A token a byte of the text in lower case, without accents, with single spaces, and one space at each end."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"[PAD]": 0} | {letter: index + 1 for index, letter in enumerate(alphabet)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    steps = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    made.normalizer = normalizers.Sequence(steps)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    space = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(" ")[0][0]
    made.post_processor = processors.TemplateProcessing(single=f"{space} $A {space}", special_tokens=[(space, vocabulary[space])])
    made.enable_padding(pad_id=0, pad_token="[PAD]")
    return made


def configs() -> dict[str, object]:
    module = "sentence_transformers.models"
    return {
        "config.json": {"model_type": "lexical", "hidden_size": DIMENSIONS, "max_position_embeddings": MAX_TOKENS},
        "config_sentence_transformers.json": {"similarity_fn_name": "MaxSim"},
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{module}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{module}.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{module}.Normalize"},
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": DIMENSIONS, "pooling_mode_mean_tokens": True},
    }


def main(folder: Path) -> None:
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(network().SerializeToString(deterministic=True))
    tokenizer().save(str(folder / "tokenizer.json"), pretty=False)
    for name, content in configs().items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
