"""How many threads are worth having: a container's share of the CPUs, which the machine's count does not tell."""

import os
from math import ceil
from pathlib import Path


def usable_cpus(cpu_max: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """The smaller of the CPUs this process may run on and its cgroup's quota ("200000 100000": two CPUs' time)."""
    allowed = os.process_cpu_count() or 1
    try:
        quota, period = cpu_max.read_text().split()
    except (OSError, ValueError):
        return allowed
    return allowed if quota == "max" else max(1, min(allowed, ceil(int(quota) / int(period))))
