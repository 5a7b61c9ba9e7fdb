"""The worker as the front door starts it: a process with a socket as file descriptor 3."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ml_worker.frames import read_frame, write_frame

LIMIT = 60


@contextmanager
def worker(**env: str) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    ours, theirs = socket.socketpair()
    # dup2 in the child, as a shell's 3<>… would: the number is part of the contract.
    start = f"import os; os.dup2({theirs.fileno()}, 3); os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'ml_worker'])"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "THREADS": "1", **env}
    process = subprocess.Popen([sys.executable, "-c", start], env=env, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
    theirs.close()
    ours.settimeout(LIMIT)
    try:
        yield process, ours
    finally:
        ours.close()
        process.kill()
        process.wait()
        process.stderr.close()


def test_answers_until_the_front_door_hangs_up(lexical_folder: Path) -> None:
    with worker(MODEL_DIR=str(lexical_folder)) as (process, ours), ours.makefile("rwb") as stream:
        message, _ = read_frame(stream)
        assert message["ready"] | {"sha256": ""} == {
            "kind": "embedding",
            "dimensions": 384,
            "maxTokens": 4096,
            "sha256": "",
            "provider": "CPUExecutionProvider",
            "threads": 1,
        }
        write_frame(stream, {"id": 1, "texts": ["one", "two"]})
        message, payload = read_frame(stream)
        assert message == {"id": 1, "tokens": [5, 5]}
        assert np.frombuffer(payload, "<f4").shape == (2 * 384,)
        write_frame(stream, {"id": 2, "queries": ["wine", "oak"], "pairs": [[0, "wine"], [1, "stone"]]})
        message, payload = read_frame(stream)
        assert message["id"] == 2
        one, other = np.frombuffer(payload, "<f4")
        assert one > 0.99 > other
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(LIMIT) == 0


def test_goes_on_after_a_batch_that_failed(lexical_folder: Path) -> None:
    with worker(MODEL_DIR=str(lexical_folder)) as (_, ours), ours.makefile("rwb") as stream:
        read_frame(stream)
        write_frame(stream, {"id": 1, "queries": [], "pairs": [[0, "document"]]})
        message, _ = read_frame(stream)
        assert message == {"id": 1, "error": "IndexError: list index out of range"}
        write_frame(stream, {"id": 2, "texts": ["one"]})
        assert read_frame(stream)[0]["id"] == 2


def test_a_bad_model_is_said_and_ends_it_with_2(tmp_path: Path) -> None:
    with worker(MODEL_DIR=str(tmp_path / "none")) as (process, ours), ours.makefile("rwb") as stream:
        assert "there is no model folder" in read_frame(stream)[0]["fault"]
        assert process.wait(LIMIT) == 2


def test_tells_nobody_of_itself(lexical_folder: Path, tmp_path: Path) -> None:
    # Where CI is set ONNX Runtime's telemetry is off by itself; where it is on, it keeps an id and a database below HOME.
    env = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "CI": "", "ORT_DISABLE_TELEMETRY": ""}
    with worker(MODEL_DIR=str(lexical_folder), **env) as (process, ours), ours.makefile("rwb") as stream:
        read_frame(stream)
        assert list(tmp_path.iterdir()) == []
        opened = {os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{process.pid}/fd")}
        assert len([name for name in opened if name.startswith("socket:")]) == 1


def test_ends_when_the_front_door_dies_in_the_middle_of_a_frame(lexical_folder: Path) -> None:
    with worker(MODEL_DIR=str(lexical_folder)) as (process, ours), ours.makefile("rwb") as stream:
        read_frame(stream)
        stream.write(b"\0\0\0\x10")
        stream.flush()
        ours.shutdown(socket.SHUT_RDWR)
        assert process.wait(LIMIT) == 0
