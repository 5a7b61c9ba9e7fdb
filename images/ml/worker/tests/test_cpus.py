import os
from pathlib import Path

import pytest

from ml_worker.cpus import usable_cpus


@pytest.mark.parametrize(("content", "expected"), [("100000 100000", 1), ("1000 100000", 1), ("max 100000", None), ("99999900000 100000", None), ("", None)])
def test_a_quota_bounds_the_threads(tmp_path: Path, content: str, expected: int | None) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(content)
    assert usable_cpus(file) == (expected or os.process_cpu_count())


def test_without_cgroups_all_allowed_cpus_count(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path / "none") == os.process_cpu_count()
