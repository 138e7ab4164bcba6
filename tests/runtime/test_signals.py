"""How commands end: by Ctrl-C, SIGTERM and SIGHUP, at every moment, in one line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAFE = "with nothing half done; the same command does the rest"
ENDS = {
    signal.SIGINT: (130, f"zoolens: interrupted {SAFE}\n"),
    signal.SIGTERM: (143, f"zoolens: ended by SIGTERM {SAFE}\n"),
    signal.SIGHUP: (129, f"zoolens: ended by SIGHUP {SAFE}\n"),
}
# Each prints a line when it is ready for a signal.
BUSY = """
import time
from zoolens.catalog.runtime import signals
signals.listen()
with signals.at_work():
    print("ready", flush=True)
    time.sleep(60)
"""
BEFORE = """
import time
from zoolens.catalog.runtime import signals
signals.listen()
print("ready", flush=True)
time.sleep(60)
"""
DEAF = """
import time
from zoolens.catalog.runtime import signals
signals.listen()
with signals.at_work():
    for second in range(60):
        try:
            if second == 0:
                print("ready", flush=True)
            time.sleep(1)
        except KeyboardInterrupt:
            print("swallowed", flush=True)
"""
PARENT = """
import os, time
from zoolens.catalog.runtime import signals
signals.listen()
with signals.at_work():
    if not os.fork():
        time.sleep(60)
    time.sleep(0.2)
    print("ready", flush=True)
    time.sleep(60)
"""


def _started(code: str) -> subprocess.Popen[str]:
    job = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert job.stdout is not None
    assert job.stdout.readline() == "ready\n"
    return job


@pytest.mark.parametrize("number", ENDS)
def test_outside_of_work_a_signal_ends_the_command_in_one_line(number: signal.Signals) -> None:
    job = _started(BEFORE)
    job.send_signal(number)
    said = job.communicate(timeout=30)[1]
    assert (job.returncode, said) == ENDS[number]


@pytest.mark.parametrize("number", ENDS)
def test_at_work_a_signal_is_raised(number: signal.Signals) -> None:
    job = _started(BUSY)
    job.send_signal(number)
    assert job.communicate(timeout=30)[1].endswith("\nKeyboardInterrupt\n")


@pytest.mark.slow
def test_a_second_signal_ends_what_swallowed_the_first() -> None:
    job = _started(DEAF)
    job.send_signal(signal.SIGTERM)
    job.send_signal(signal.SIGTERM)  # within half a second it is the same one
    assert job.stdout is not None
    assert job.stdout.readline() == "swallowed\n"
    time.sleep(0.6)
    job.send_signal(signal.SIGINT)
    out, said = job.communicate(timeout=30)
    assert (job.returncode, said) == ENDS[signal.SIGTERM]
    assert out == ""


@pytest.mark.slow
def test_a_forked_worker_says_nothing() -> None:
    for number in ENDS:
        job = _started(PARENT)
        os.killpg(job.pid, number)  # as a terminal and a scheduler do
        said = job.communicate(timeout=30)[1] if number != signal.SIGINT else ""
        assert said.count("Traceback") <= 1, "of the parent alone"
        if number == signal.SIGINT:
            job.wait(timeout=30)  # the worker waits for its parent's word
            os.killpg(job.pid, signal.SIGTERM)


def test_nohup_is_heeded() -> None:
    code = BEFORE.replace("import time", "import signal, time", 1).replace(
        "signals.listen()", "signal.signal(signal.SIGHUP, signal.SIG_IGN)\nsignals.listen()"
    )
    job = _started(code)
    job.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        job.wait(timeout=0.3)
    job.send_signal(signal.SIGTERM)
    assert job.wait(timeout=30) == 143
    job.communicate()


def test_an_import_is_let_to_end(tmp_path: Path) -> None:
    """One cut short can keep a lock that other threads wait for."""
    (tmp_path / "slow.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\n"
        "time.sleep(0.2)\nwhole = True\n"
    )
    code = (
        f"import sys, time; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from zoolens.catalog.runtime import signals; signals.listen()\n"
        "with signals.at_work():\n"
        "    import slow; assert slow.whole\n"
        "    try:\n        time.sleep(60)\n"
        "    except KeyboardInterrupt:\n        print('heeded')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("heeded\n", "")


@pytest.mark.slow
def test_where_nobody_listens_signals_do_what_they_always_do() -> None:
    # a shell may have started the tests with the signal ignored
    heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code = f"{heard}import zoolens.jobs.verify\nsignal.raise_signal(signal.SIGINT)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.endswith("KeyboardInterrupt\n")


@pytest.mark.parametrize("number", ENDS)
def test_a_command_can_be_ended_while_it_begins(number: signal.Signals) -> None:
    """In the first tenth of a second, in which Python imports what commands need."""
    code = (
        "import os, sys, importlib.abc\n"
        "class Signals(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == 'typer': os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Signals())\n"
        "from zoolens.__main__ import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == ENDS[number]
