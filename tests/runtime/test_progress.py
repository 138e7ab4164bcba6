import pytest

from zoolens.catalog.runtime import progress


def test_a_control_c_that_was_swallowed_ends_the_work_at_its_next_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "_interrupted", False)
    done = 0

    def work() -> None:
        nonlocal done
        with progress.progress("working", 9) as bar:
            for step in range(9):
                done += 1
                bar.advance()
                if step == 3:
                    progress.interrupt()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == 5
