"""Takes out of a virtual environment what inference never loads: tests, headers, type stubs, tools that make or convert models, and the
scripts that activate it in a shell.

    python prune.py VENV
"""

import shutil
import sys
from pathlib import Path

FOLDERS = [
    "**/tests",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/_pyinstaller",
    "numpy/f2py",
    "numpy/random/lib",
    "numpy/testing",
    "onnxruntime/backend",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "tokenizers/tools",
]
FILES = ["**/*.pyi", "**/*.pxd", "numpy/_core/_simd.*.so", "numpy/_core/_*_tests.*.so"]
# The same code again, for programs in C; Python has it in its own module. A GPU's provider may want it.
CPU_FILES = ["onnxruntime/capi/libonnxruntime.so*"]


def main(venv: Path) -> None:
    (site,) = venv.glob("lib/python3.*/site-packages")
    gpu = (site / "onnxruntime/capi/libonnxruntime_providers_cuda.so").exists()
    for pattern in FOLDERS:
        for folder in list(site.glob(pattern)):
            shutil.rmtree(folder)
    for pattern in FILES if gpu else FILES + CPU_FILES:
        for file in list(site.glob(pattern)):
            file.unlink()
    for file in [venv / ".lock", *venv.glob("bin/*")]:
        if not file.name.startswith("python"):
            file.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
