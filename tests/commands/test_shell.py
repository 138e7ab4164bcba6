"""What all commands do in the same way: words, exit codes, Ctrl-C, pipes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.terminal import zoolens
from zoolens import cli


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(
        tmp_path / "gz.duckdb", random_counts(30), concentrations=random_concentrations(30)
    )


def test_the_catalogue_can_come_from_the_environment(path: Path) -> None:
    result = zoolens("sql", "SELECT 42 AS n", "--format", "csv", env={"ZOOLENS_CATALOG": str(path)})
    assert result.stdout == "n\n42\n"


def test_work_done_twice_says_that_nothing_changed(path: Path) -> None:
    assert "nothing changed" not in zoolens("score", "--catalog", path).stderr
    before = path.read_bytes()
    assert "nothing changed" in zoolens("score", "--catalog", path).stderr
    assert path.read_bytes() == before


def test_quiet_says_nothing(path: Path) -> None:
    result = zoolens("score", "--quiet", "--catalog", path)
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sql", "SELECT 1"], "no catalogue at"),
        (["status"], "no catalogue at"),
        (["worst"], "no catalogue at"),
        (["score"], "no catalogue at"),
        (["explain", "J1"], "no catalogue at"),
        (["predict"], "no catalogue at"),
        (["predict", "--model", "m", "--predictions", "p.csv"], "give --model or --predictions"),
        (["ingest", "nowhere.csv"], "nowhere.csv"),
        (["ingest", cli.__file__, "--model", "nowhere.ckpt"], "no model at nowhere.ckpt"),
        (["ingest", cli.__file__, "--predictions", "nowhere.csv"], "no table at nowhere.csv"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = zoolens(*arguments, "--catalog", tmp_path / "gz.duckdb")
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.startswith("zoolens: ")
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir()), "nothing is made by a mistake"


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
@pytest.mark.slow
def test_only_files_are_read(path: Path, tmp_path: Path, kind: str) -> None:
    """Else a pipe would be waited for, and a device read without end."""
    it = tmp_path / "it"
    if kind == "pipe":
        os.mkfifo(it)
    elif kind == "device":
        it.symlink_to("/dev/zero")
    else:
        it.mkdir()
    for suffix in (".csv", ".yaml", ".parquet", ".fits.gz", ".ckpt", ".safetensors", ".tar"):
        it.with_suffix(suffix).symlink_to(it)
    catalogue = ["--catalog", path]
    for arguments in (
        ["sql", "FROM votes", "--catalog", it],
        ["status", "--catalog", it],
        ["ingest", it.with_suffix(".csv"), "--catalog", it],
        ["ingest", it.with_suffix(".parquet"), *catalogue],
        ["ingest", it.with_suffix(".fits.gz"), *catalogue],
        ["ingest", "nothing.csv", "--model", it.with_suffix(".ckpt"), *catalogue],
        ["ingest", "nothing.csv", "--weights", it.with_suffix(".csv"), *catalogue],
        ["predict", "--model", it.with_suffix(".safetensors"), *catalogue],
        ["predict", "--predictions", it.with_suffix(".csv"), *catalogue],
        ["score", "--weights", it.with_suffix(".yaml"), *catalogue],
        ["evaluate", "--truth", it.with_suffix(".parquet"), *catalogue],
        ["release", "verify", it],
        ["release", "diff", it, it],
    ):
        result = zoolens(*arguments)
        assert result.exit_code == 1, arguments
        assert len(result.stderr.splitlines()) == 1, arguments


@pytest.mark.parametrize(
    "arguments", [["worst", "-n", "0"], ["nonsense"], ["ingest"], ["worst", "--limit", "many"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert zoolens(*arguments).exit_code == 2


def test_a_closed_pipe_is_no_error(path: Path) -> None:
    query = "SELECT * FROM range(1000000)"
    done = subprocess.run(
        f"{sys.executable} cli.py sql '{query}' --format csv --catalog {path} | head -n 1",
        shell=True,
        cwd=Path(cli.__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("range\n", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "ended"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended by SIGTERM")],
)
def test_a_signal_ends_a_job_cleanly_and_the_work_goes_on(
    data: Path, checkpoint: Path, tmp_path: Path, number: int, code: int, ended: str
) -> None:
    command = [
        *("ingest", str(data / "gzd5_votes.csv"), "--images", str(data / "images")),
        *("--model", str(checkpoint), "--size", "64", "--samples", "2"),
        *("--catalog", str(tmp_path / "gz.duckdb")),
    ]
    job = subprocess.Popen(
        # not -m: that ends by the signal where it came while a library executed a string
        [sys.executable, cli.__file__, *command],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert job.stderr is not None
    assert job.stderr.readline().startswith("ingest   run 1")
    time.sleep(1)
    job.send_signal(number)
    _, said = job.communicate(timeout=60)
    assert job.returncode == code
    assert said.splitlines()[-1] == (
        f"zoolens: {ended} with nothing half done; the same command does the rest"
    )
    assert "Traceback" not in said
    again = zoolens(*command)
    assert again.exit_code == 0
    assert "score" in again.stderr
    result = zoolens("verify", "--catalog", tmp_path / "gz.duckdb")
    assert result.exit_code == 0


def test_what_is_no_text_is_one_line(path: Path) -> None:
    for arguments in ([b"sql", b"SELECT \xff"], [b"similar", b"\xff"]):
        done = subprocess.run(
            [sys.executable, cli.__file__, *arguments, b"--catalog", os.fsencode(path)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert done.stderr.endswith("is not UTF-8, which names have to be\n")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("where", "message"),
    [("> /dev/full", "No space left on device"), (">&-", "standard output is closed")],
)
@pytest.mark.slow
def test_standard_output_that_takes_nothing_is_told(path: Path, where: str, message: str) -> None:
    query = "SELECT * FROM range(10)"
    done = subprocess.run(
        f"{sys.executable} {cli.__file__} sql '{query}' --catalog {path} {where}",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_name_that_no_file_has_is_one_line(tmp_path: Path) -> None:
    result = zoolens("status", "--catalog", tmp_path / ("x" * 300))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1


def test_errors_do_not_steer_the_terminal(tmp_path: Path) -> None:
    result = zoolens("status", "--catalog", tmp_path / "a\nb\x1b[31m")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr
