"""Makes the model that the image brings: lexical similarity, without weights from anywhere.

A text's bytes are its tokens. Each run of 3 to 6 of them is hashed to a row, and a sign, of a fixed sparse random projection to 384
dimensions (Achlioptas 2003: -1, 0, 1 with chances 1/6, 2/3, 1/6; by Johnson and Lindenstrauss it keeps angles). A text is the sum of its
rows, each by the root of how often it comes. So the cosine of two texts follows how many n-grams they share: spelling, not meaning. A
token's vector, for late interaction, is the sum of the rows of the n-grams that begin there.

    python make_model.py FOLDER

The same folder, byte for byte, wherever it runs.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

DIMENSIONS = 384
ROWS = 1 << 11
"""For each size of n-grams. Two of them may share one: with signs of their own that is noise, less than the projection's."""
SIZES = {3: 0.5, 4: 0.7, 5: 1.0, 6: 1.0}
"""Bytes of an n-gram, and its weight: the longer say more."""
MAX_TOKENS = 4096
PRIME = (1 << 31) - 1
BASE = 1_000_003
"""Products of two numbers below 2^31 stay within int64."""


def table() -> np.ndarray:
    """The projection, from a hash function and not from a random generator, whose sequence a library may change."""
    rows = ROWS * len(SIZES)
    stream = hashlib.shake_256(b"waybill lexical 2").digest(rows * DIMENSIONS)
    drawn = np.frombuffer(stream, dtype=np.uint8).reshape(rows, DIMENSIONS)
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
    weights = np.repeat(np.array(list(SIZES.values()), dtype=np.float32), ROWS)[:, None]
    # Small in the file; ONNX Runtime computes what is constant once, when it loads.
    table_ = graph("Mul", graph("Cast", graph.constant(table()), to=TensorProto.FLOAT), graph.constant(weights))
    grams = list(_grams(graph))
    _tokens(graph, table_, grams)
    _text(graph, table_, grams)
    return _model(graph)


def _grams(graph: Graph) -> Iterator[tuple[str, str]]:
    """For each size the names of two arrays [texts, tokens]: the rows of the n-grams that begin there, and their signs; 0 where one would
    reach over the text's end."""
    length = graph("Shape", "input_ids", start=1, end=2)
    padding = graph.constant(np.array([0, 0, 0, max(SIZES) - 1], dtype=np.int64))
    ids = graph("Mul", "input_ids", "attention_mask")
    padded = {name: graph("Pad", name, padding) for name in (ids, "attention_mask")}
    prime, base, one = (graph.number(value) for value in (PRIME, BASE, 1))
    low, next_bit = graph.number(ROWS - 1), graph.number(ROWS)
    per_bit, plus = (graph.constant(np.array(value, dtype=np.float32)) for value in (-2 / ROWS, 1))

    def following(name: str, by: int) -> str:
        start = graph.number(by)
        return graph("Slice", padded[name], start, graph("Add", length, start), one)

    hashed, whole = ids, "attention_mask"
    for size in range(2, max(SIZES) + 1):
        hashed = graph("Mod", graph("Add", graph("Mul", hashed, base), following(ids, size - 1)), prime)
        whole = graph("Mul", whole, following("attention_mask", size - 1))
        if size not in SIZES:
            continue
        # Mixed once more, as the last byte alone would make the lowest bits.
        mixed = graph("Mod", graph("Mul", hashed, graph.number(PRIME // (size + 1))), prime)
        bit = graph("Cast", graph("BitwiseAnd", mixed, next_bit), to=TensorProto.FLOAT)
        sign = graph("Add", graph("Mul", bit, per_bit), plus)
        first = graph.number(list(SIZES).index(size) * ROWS)
        row = graph("Add", graph("BitwiseAnd", mixed, low), first)
        yield row, graph("Mul", sign, graph("Cast", whole, to=TensorProto.FLOAT))


def _tokens(graph: Graph, table_: str, grams: list[tuple[str, str]]) -> None:
    axis = graph.number(2)
    each = [graph("Mul", graph("Gather", table_, row), graph("Unsqueeze", sign, axis)) for row, sign in grams]
    graph("Sum", *each, output="last_hidden_state")


def _text(graph: Graph, table_: str, grams: list[tuple[str, str]]) -> None:
    """By way of a histogram: its product with the table takes no longer for a long text than for a short one."""
    texts = graph("Shape", "input_ids", start=0, end=1)
    empty = graph("ConstantOfShape", graph("Concat", texts, graph.number(ROWS * len(SIZES)), axis=0))
    rows = graph("Concat", *(row for row, _ in grams), axis=1)
    signs = graph("Concat", *(sign for _, sign in grams), axis=1)
    counts = graph("ScatterElements", empty, rows, signs, axis=1, reduction="add")
    roots = graph("Mul", graph("Sign", counts), graph("Sqrt", graph("Abs", counts)))
    graph("MatMul", roots, table_, output="sentence_embedding")


def _model(graph: Graph) -> ModelProto:
    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in ("input_ids", "attention_mask")]
    shapes = {"last_hidden_state": ["texts", "tokens", DIMENSIONS], "sentence_embedding": ["texts", DIMENSIONS]}
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    made = helper.make_graph(graph.nodes, "lexical", ids, outputs, graph.constants)
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
            {"idx": 1, "name": "1", "path": "1_Normalize", "type": f"{module}.Normalize"},
        ],
    }


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(network().SerializeToString(deterministic=True))
    tokenizer().save(str(folder / "tokenizer.json"), pretty=False)
    for name, content in configs().items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
