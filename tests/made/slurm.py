"""A Slurm of one machine, for tests: everything in one folder, nothing left behind."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "sinfo", "squeue")
_CONF = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={munge}/munge.socket
CryptoType=crypto/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=2,bf_interval=2
ReturnToService=2
InactiveLimit=0
KillWait=2
MinJobAge=30
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
"""


def missing() -> str | None:
    """Why there can be no Slurm here; None if there can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    return None if os.geteuid() == 0 else "Slurm's daemons want to be started by root"


def _path() -> str:
    return os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@contextmanager
def slurm(folder: Path, cpus: int = 2) -> Iterator[dict[str, str]]:
    """The environment in which `sbatch` speaks to a Slurm of this machine, which ends with it."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    munge = folder / "munge"
    munge.mkdir(mode=0o755)
    key = munge / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    conf = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    conf.write_text(
        _CONF.format(host=host, munge=munge, folder=folder, ports=_free_ports(2), cpus=cpus)
    )
    environment = {**os.environ, "SLURM_CONF": str(conf), "PATH": _path()}
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str | Path) -> None:
        log = (folder / f"{Path(command[0]).name}.out").open("wb")
        with log:
            started.append(
                subprocess.Popen([*map(str, command)], env=environment, stdout=log, stderr=log)
            )

    try:
        start(
            *("munged", "--foreground", "--force", f"--key-file={key}", "--num-threads=1"),
            *(f"--socket={munge}/munge.socket", f"--pid-file={munge}/munged.pid"),
            *(f"--log-file={munge}/munged.log", f"--seed-file={munge}/munged.seed"),
        )
        _until(lambda: (munge / "munge.socket").exists(), folder)
        start("slurmctld", "-D", "-c")
        start("slurmd", "-D", "-N", host)
        _until(lambda: "idle" in _said(environment, "sinfo", "--noheader", "--format=%T"), folder)
        yield {**environment, "USER": getpass.getuser()}
    finally:
        with suppress(OSError, subprocess.SubprocessError):
            _said(environment, "scancel", "--full", "--user=root")
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _said(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=20, check=False
    )
    return done.stdout


def _until(so: "object", folder: Path) -> None:
    assert callable(so)
    for _ in range(300):
        if so():
            return
        time.sleep(0.1)
    logs = "\n".join(
        file.read_text(errors="replace")[-2000:] for file in sorted(folder.glob("**/*.log"))
    )
    raise RuntimeError(f"Slurm did not start:\n{logs}")
