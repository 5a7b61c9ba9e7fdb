"""The worker's process: loads the model, says so, then answers until the front door hangs up."""

import os
import signal
import sys
from pathlib import Path

from ml_worker.cpus import usable_cpus

# Before the libraries are loaded, which read these once. ONNX Runtime's own wheels would tell Microsoft of each start, from an id they keep
# below HOME (its Privacy.md).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
THREADS = int(os.environ.get("THREADS") or usable_cpus())
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = str(THREADS)

from ml_worker.answer import answer  # noqa: E402
from ml_worker.fault import Fault  # noqa: E402
from ml_worker.folder import read_folder  # noqa: E402
from ml_worker.frames import read_frame, write_frame  # noqa: E402
from ml_worker.model import Model, Settings  # noqa: E402

SOCKET = 3
"""The file descriptor that the front door passes: stdout is for whatever a library prints."""

BAD_MODEL = 2
"""Exit code of what another start would not mend."""


def load() -> Model:
    folder = read_folder(Path(os.environ["MODEL_DIR"]), os.environ.get("MODEL_SHA256") or None)
    settings = Settings(THREADS, int(os.environ.get("BATCH_TOKENS") or 16384), os.environ.get("DEVICE") or "cpu")
    return Model(folder, settings)


def main() -> int:
    # Ctrl-C reaches the whole group; the front door decides when the worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(SOCKET, "rb", closefd=False) as requests, open(SOCKET, "wb", closefd=False) as answers:
        try:
            model = load()
        except Fault as fault:
            write_frame(answers, {"fault": str(fault)})
            return BAD_MODEL
        ready = {
            "kind": "reranking" if model.reads_pairs else "embedding",
            "dimensions": model.dimensions,
            "maxTokens": model.folder.max_tokens,
            "sha256": model.folder.digest,
            "provider": model.provider,
            "threads": THREADS,
        }
        write_frame(answers, {"ready": ready})
        while (frame := read_frame(requests)) is not None:
            write_frame(answers, *answer(model, frame[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
