"""Memory that a process keeps for itself."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PAGE_FAULTS = """
import resource
from photochrom.photo.strips import keep_freed_memory
{first}
for turn in range(11):
    a = bytearray(64 << 20)  # 16,384 pages
    del a
    if turn == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is told")
def test_freed_memory_is_used_again_without_page_faults() -> None:
    faults = []
    for first in ("", "keep_freed_memory()"):
        told = subprocess.run(
            [sys.executable, "-c", PAGE_FAULTS.format(first=first)],
            capture_output=True,
            text=True,
            check=True,
        )
        faults.append(int(told.stdout))
    assert faults[0] > 1000  # as it is without
    assert faults[1] < 100
