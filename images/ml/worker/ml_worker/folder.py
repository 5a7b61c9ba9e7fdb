"""A model's folder in the layout of sentence-transformers, read and checked before anything is loaded."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_worker.fault import Fault
from ml_worker.pooling import POOLINGS

_SIMILARITIES = {"cosine", "dot", "maxsim"}
_UNLIMITED = 1_000_000  # tokenizer_config.json says 10^30 where there is no limit


@dataclass(frozen=True)
class ModelFolder:
    path: Path
    onnx: Path
    tokenizer: Path
    digest: str
    """sha256 over all files, see `digest_of`."""
    pooling: str
    normalise: bool
    lower_case: bool
    similarity: str
    """How a query and a document are compared: cosine, dot, or maxsim (late interaction, as PyLate's models)."""
    max_tokens: int


def read_folder(path: Path, expected_sha256: str | None = None) -> ModelFolder:
    """Raises Fault where the folder is not a model that the worker can run, or not the one that is expected."""
    try:
        return _read(path, expected_sha256)
    except OSError as error:
        raise Fault(f"can't read the model: {error}; user {os.getuid()} needs to") from error


def _read(path: Path, expected_sha256: str | None) -> ModelFolder:
    if not path.is_dir():
        raise Fault(f"there is no model folder {path}: set MODEL_DIR, or fetch the model with the downloader image")
    digest = digest_of(path)
    if expected_sha256 is not None and expected_sha256 != digest:
        raise Fault(f"the model in {path} has sha256 {digest}, MODEL_SHA256 says {expected_sha256}: it is another model, or damaged")
    bert = _json(path / "sentence_bert_config.json")
    pooling, normalise = _modules(path)
    return ModelFolder(
        path=path,
        onnx=_first(path, "onnx/model.onnx", "model.onnx"),
        tokenizer=_first(path, "tokenizer.json"),
        digest=digest,
        pooling=pooling,
        normalise=normalise,
        lower_case=bert.get("do_lower_case") is True,
        similarity=_similarity(path),
        max_tokens=_max_tokens(path, bert),
    )


def digest_of(path: Path) -> str:
    """As `cd MODEL && find . -type f -not -path '*/.*' | LC_ALL=C sort | xargs sha256sum | sha256sum` has it."""
    names = sorted("./" + file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
    total = hashlib.sha256()
    for name in names:
        with (path / name).open("rb") as file:
            total.update(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n".encode())
    return total.hexdigest()


def _hidden(file: Path, below: Path) -> bool:
    """The downloader keeps its state in .downloader/."""
    return any(part.startswith(".") for part in file.relative_to(below).parts)


def _modules(path: Path) -> tuple[str, bool]:
    """Pooling, and whether vectors are normalised, from modules.json. Without it: the mean, normalised, which is what most models want."""
    file = path / "modules.json"
    if not file.exists():
        return "mean", True
    pooling, normalise = "mean", False
    for module in _json(file, list):
        kind = str(module.get("type", "")).rsplit(".", 1)[-1]
        if kind == "Pooling":
            pooling = _pooling(path / str(module.get("path", "")) / "config.json")
        elif kind == "Normalize":
            normalise = True
        elif kind != "Transformer":
            raise Fault(f"{file} has a module {kind}: only Transformer, Pooling and Normalize are known; export the model to ONNX with it included")
    return pooling, normalise


def _pooling(file: Path) -> str:
    config = _json(file)
    chosen = [name for name in config if name.startswith("pooling_mode_") and config[name] is True]
    if len(chosen) != 1 or chosen[0] not in POOLINGS:
        raise Fault(f"{file} asks for {' and '.join(chosen) or 'no pooling'}: one of {', '.join(POOLINGS)} is known")
    return POOLINGS[chosen[0]]


def _similarity(path: Path) -> str:
    file = path / "config_sentence_transformers.json"
    name = str(_json(file).get("similarity_fn_name") or "cosine").lower()
    if name not in _SIMILARITIES:
        raise Fault(f"{file} compares by {name}: one of {', '.join(sorted(_SIMILARITIES))} is known")
    return name


def _max_tokens(path: Path, bert: dict[str, Any]) -> int:
    config = _json(path / "config.json")
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and "roberta" in str(config.get("model_type")):
        positions -= int(config.get("pad_token_id") or 1) + 1  # RoBERTa's positions begin after its padding
    limits = [bert.get("max_seq_length"), _json(path / "tokenizer_config.json").get("model_max_length"), positions]
    known = [limit for limit in limits if isinstance(limit, int) and 0 < limit < _UNLIMITED]
    return min(known, default=512)


def _first(path: Path, *names: str) -> Path:
    for name in names:
        if (path / name).is_file():
            return path / name
    raise Fault(f"{path} has no {' or '.join(names)}: the folder of a model in ONNX format is needed")


def _json[T: (dict, list)](file: Path, kind: type[T] = dict) -> T:
    """Empty where there is no such file: most of them are optional."""
    if not file.is_file():
        return kind()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Fault(f"{file} is not JSON ({error}): fetch the model again") from error
    if not isinstance(content, kind):
        raise Fault(f"{file} holds no {kind.__name__}: fetch the model again")
    return content
