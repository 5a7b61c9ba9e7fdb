"""A transformer of a few hundred weights, in the folder layout of the real ones: what is loaded for it is loaded for them."""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WIDTH = 16
MAX_TOKENS = 12
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"the a red green wine apple tastes of oak and stone is cold".split()]

_random = np.random.default_rng(7)
_draw = lambda *shape: _random.standard_normal(shape).astype(np.float32)  # noqa: E731
WEIGHTS = {
    "words": _draw(len(WORDS), WIDTH),
    "positions": _draw(MAX_TOKENS, WIDTH),
    "types": _draw(2, WIDTH),
    "query": _draw(WIDTH, WIDTH) / 4,
    "key": _draw(WIDTH, WIDTH) / 4,
    "value": _draw(WIDTH, WIDTH) / 4,
    "scale": np.ones(WIDTH, dtype=np.float32),
    "shift": np.zeros(WIDTH, dtype=np.float32),
    "head": _draw(WIDTH, 1),
}


def forward(ids: list[int], types: list[int]) -> np.ndarray:
    """The same network in NumPy, for one text without padding: [tokens, WIDTH]."""
    w = WEIGHTS
    x = w["words"][ids] + w["positions"][: len(ids)] + w["types"][types]
    scores = (x @ w["query"]) @ (x @ w["key"]).T
    attention = np.exp(scores - scores.max(axis=1, keepdims=True))
    x = x + (attention / attention.sum(axis=1, keepdims=True)) @ (x @ w["value"])
    return (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)


def write_model(folder: Path, *, pooling: str = "pooling_mode_mean_tokens", normalise: bool = True, cross_encoder: bool = False) -> Path:
    (folder / "onnx").mkdir(parents=True)
    (folder / "onnx/model.onnx").write_bytes(_network(cross_encoder).SerializeToString())
    _tokenizer().save(str(folder / "tokenizer.json"))
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    if normalise:
        modules.append({"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"})
    write_json(folder / "modules.json", modules)
    write_json(folder / "1_Pooling/config.json", {"word_embedding_dimension": WIDTH, "pooling_mode_cls_token": False, pooling: True})
    write_json(folder / "config.json", {"model_type": "bert", "max_position_embeddings": MAX_TOKENS})
    write_json(folder / "tokenizer_config.json", {"model_max_length": 1000000000000000019884624838656})
    return folder


def write_json(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    return tokenizer


def _network(cross_encoder: bool):
    """BERT's way: embeddings of words, positions and types, self-attention under the mask, a sum, a norm."""
    nodes = []

    def op(kind: str, *inputs: str, output: str = "", **attributes) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [output or f"n{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    length = op("Shape", "input_ids", start=1, end=2)
    positions = op("Slice", "positions", "zero", length)
    x = op("Add", op("Add", op("Gather", "words", "input_ids"), positions), op("Gather", "types", "token_type_ids"))
    mask = op("Unsqueeze", op("Mul", op("Sub", "one", op("Cast", "attention_mask", to=TensorProto.FLOAT)), "low"), "axis1")
    keys = op("Transpose", op("MatMul", x, "key"), perm=[0, 2, 1])
    attention = op("Softmax", op("Add", op("MatMul", op("MatMul", x, "query"), keys), mask), axis=-1)
    x = op("Add", x, op("MatMul", attention, op("MatMul", x, "value")))
    name, shape = ("logits", ["texts", 1]) if cross_encoder else ("last_hidden_state", ["texts", "tokens", WIDTH])
    hidden = op("LayerNormalization", x, "scale", "shift", epsilon=1e-5, output="" if cross_encoder else name)
    if cross_encoder:
        op("MatMul", op("Gather", hidden, "first", axis=1), "head", output=name)
    constants = {
        **WEIGHTS,
        "zero": np.array([0]),
        "axis1": np.array([1]),
        "first": np.array(0),
        "one": np.array(1, dtype=np.float32),
        "low": np.array(-1e9, dtype=np.float32),
    }
    ids = [helper.make_tensor_value_info(each, TensorProto.INT64, ["texts", "tokens"]) for each in ("input_ids", "attention_mask", "token_type_ids")]
    output = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "tiny", ids, [output], [numpy_helper.from_array(value, key) for key, value in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
