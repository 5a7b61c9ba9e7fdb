"""A model's folder is checked before anything is loaded, and what is wrong is said with its file."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tiny_model import write_json, write_model

from ml_worker.fault import Fault
from ml_worker.folder import digest_of, read_folder
from ml_worker.model import Model, Settings

PIPELINE = "find . -type f -not -path '*/.*' | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c -64"


def test_the_digest_is_what_the_documented_command_prints(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    write_json(folder / ".downloader/state.json", {"not": "part of the model"})
    printed = subprocess.run(["sh", "-c", PIPELINE], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
    assert digest_of(folder) == printed
    assert read_folder(folder, printed).digest == printed


def test_another_model_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    before = digest_of(folder)
    (folder / "tokenizer.json").write_text((folder / "tokenizer.json").read_text() + "\n")
    with pytest.raises(Fault, match=f"MODEL_SHA256 says {before}"):
        read_folder(folder, before)


def test_reads_the_layout_of_sentence_transformers(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", pooling="pooling_mode_cls_token", normalise=False)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 9, "do_lower_case": True})
    write_json(folder / "config_sentence_transformers.json", {"similarity_fn_name": "dot"})
    read = read_folder(folder)
    assert (read.pooling, read.normalise, read.max_tokens, read.lower_case, read.similarity) == ("cls", False, 9, True, "dot")
    assert read.onnx == folder / "onnx/model.onnx"


def test_a_bare_onnx_folder_is_pooled_by_the_mean(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "modules.json").unlink()
    (folder / "onnx/model.onnx").rename(folder / "model.onnx")
    read = read_folder(folder)
    assert (read.pooling, read.normalise, read.similarity, read.max_tokens) == ("mean", True, "cosine", 12)


def test_positions_of_roberta_begin_after_its_padding(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    write_json(folder / "config.json", {"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1})
    assert read_folder(folder).max_tokens == 512


def dense(folder: Path) -> None:
    write_json(folder / "modules.json", [{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}])


def two_poolings(folder: Path) -> None:
    write_json(folder / "1_Pooling/config.json", {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True})


def euclidean(folder: Path) -> None:
    write_json(folder / "config_sentence_transformers.json", {"similarity_fn_name": "euclidean"})


def late_without_tokens(folder: Path) -> None:
    shutil.rmtree(folder)
    write_model(folder, cross_encoder=True)
    write_json(folder / "config_sentence_transformers.json", {"similarity_fn_name": "MaxSim"})


FAULTS = {
    "gives logits: last_hidden_state or token_embeddings is needed": late_without_tokens,
    "modules.json has a module Dense": dense,
    "asks for pooling_mode_cls_token and pooling_mode_mean_tokens": two_poolings,
    "compares by euclidean": euclidean,
    "config.json is not JSON": lambda folder: (folder / "config.json").write_text("{"),
    "modules.json holds no list": lambda folder: write_json(folder / "modules.json", {}),
    "has no onnx/model.onnx or model.onnx": lambda folder: (folder / "onnx/model.onnx").unlink(),
    "has no tokenizer.json": lambda folder: (folder / "tokenizer.json").unlink(),
    "tokenizer.json is no tokenizer": lambda folder: (folder / "tokenizer.json").write_text("{}"),
    "model.onnx can't be loaded": lambda folder: (folder / "onnx/model.onnx").write_bytes(b"nonsense"),
}


@pytest.mark.parametrize("message", FAULTS)
def test_what_can_not_be_run_is_refused(tmp_path: Path, message: str) -> None:
    folder = write_model(tmp_path / "m")
    FAULTS[message](folder)
    with pytest.raises(Fault, match=message):
        Model(read_folder(folder), Settings(threads=1, max_batch_tokens=512))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="there is no model folder"):
        read_folder(tmp_path / "none")


def test_a_gpu_is_not_replaced_by_a_cpu_in_silence(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="DEVICE=cuda"):
        Model(read_folder(write_model(tmp_path / "m")), Settings(threads=1, max_batch_tokens=512, device="cuda"))
