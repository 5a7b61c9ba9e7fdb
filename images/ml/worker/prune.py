"""Takes out of an environment what inference never loads: tests, headers, type stubs, tools that make or convert models.

    python prune.py SITE_PACKAGES
"""

import shutil
import sys
from pathlib import Path

FOLDERS = ["**/tests", "numpy/_core/include", "numpy/_core/lib", "numpy/f2py", "numpy/random/lib", "numpy/testing", "numpy/_pyinstaller", "tokenizers/tools"]
FOLDERS += [f"onnxruntime/{name}" for name in ("backend", "datasets", "quantization", "tools", "transformers")]
FILES = ["**/*.pyi", "**/*.pxd", "numpy/_core/_simd.*.so", "numpy/_core/_*_tests.*.so"]
# The same code again for programs in C; Python has it in its own module. A GPU's provider may want it.
CPU_FILES = ["onnxruntime/capi/libonnxruntime.so*"]


def main(site: Path) -> None:
    gpu = (site / "onnxruntime/capi/libonnxruntime_providers_cuda.so").exists()
    for pattern in FOLDERS:
        for folder in list(site.glob(pattern)):
            shutil.rmtree(folder)
    for pattern in FILES if gpu else FILES + CPU_FILES:
        for file in list(site.glob(pattern)):
            file.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
