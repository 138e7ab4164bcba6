"""The benchmark of clusters runs, and measures what it says."""

import pytest

from benchmarks.cluster import null_work


@pytest.mark.slow
def test_null_work_comes_back() -> None:
    found = null_work(12, workers=1)
    assert found["parts"] == 12
    assert found["parts_per_second"] > 0
    assert 10_000 < found["bytes_a_task"] < 100_000
    assert found["megabytes_at_the_end"] > 20
