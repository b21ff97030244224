"""Helpers that run Snakemake on SLURM and look at what SLURM did."""

import os
import pwd
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 1800  # seconds, longer than anything takes on a slow machine unless it hangs

# A resumable job: it counts in a state file and exits on SIGUSR2 or SIGTERM. Once there is a file named `enough`, it
# stops counting and succeeds.
COUNTER = """
import signal, sys, time
from pathlib import Path
state, out, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
told = []
for number in (signal.SIGUSR2, signal.SIGTERM):
    signal.signal(number, lambda *heard: told.append(heard))
done = int(state.read_text()) if state.exists() else 0
print(f"starts at {done}", file=sys.stderr, flush=True)
with open(f"{state}.starts", "a") as starts:
    print(done, file=starts)
while done < last and not Path("enough").exists():
    time.sleep(0.5)
    done += 1
    state.write_text(str(done))
    if told:
        sys.exit(75)
out.write_text(str(done))
"""


class Snakemake:
    """A Snakemake process in a folder with a Snakefile, on the cluster."""

    def __init__(self, folder: Path, *arguments: str, executor: str = "submitit", user: str | None = None) -> None:
        # Background processes of a shell, such as tests, ignore SIGINT by default.
        command = ["env", "--default-signal=INT", sys.executable, "-m", "snakemake", "--executor", executor]
        command += ["--seconds-between-status-checks", "3"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKEMAKE_", "SLURM_JOB"))}
        start = {}
        if user:
            start = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
            clean |= {"HOME": str(folder), "USER": user}
        self.folder = folder
        self.log = folder / "snakemake.out"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, *arguments], cwd=folder, env=clean, stdout=log, stderr=subprocess.STDOUT, **start
            )

    def wait(self) -> str:
        """Wait for its end, and return what it printed."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.terminate()  # cancels its jobs
            raise AssertionError(f"still running after {PATIENCE} seconds:\n{self.log.read_text()}") from None
        return self.log.read_text()

    def succeeds(self) -> str:
        printed = self.wait()
        assert self.process.returncode == 0, printed
        return printed

    def fails(self) -> str:
        printed = self.wait()
        assert self.process.returncode != 0, printed
        return printed

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(PATIENCE)


def workflow(folder: Path, rules: str) -> Path:
    """Make a folder with these rules as its workflow."""
    folder.mkdir(exist_ok=True)
    (folder / "Snakefile").write_text(rules)
    (folder / "counter.py").write_text(COUNTER)
    return folder


def counter(last: int, **resources: object) -> str:
    """Return a rule whose job counts to `last`, twice a second, and can be stopped."""
    lines = "".join(f", {name}={value!r}" for name, value in resources.items())
    return f"""
rule count:
    output: "count.txt"
    resources: mem_mb=500{lines}
    shell: "{sys.executable} counter.py count.state {{output}} {last}"
"""


def until(condition, what: str):
    """Poll a condition, and return its first true value."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.3)
    raise AssertionError(f"timed out waiting for {what}")


def run(*command: str) -> str:
    """Run a command, and return what it printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def queue(folder: Path, states: str = "PENDING,RUNNING,COMPLETING,CONFIGURING") -> dict[str, str]:
    """Return the waiting and running jobs of a folder, as states by id."""
    rows = run("squeue", "--noheader", "--array", f"--states={states}", "--format=%i|%T|%Z").splitlines()
    return {key: state for key, state, where in (row.split("|") for row in rows) if where == str(folder)}


def running(folder: Path) -> str:
    """Return the id of a folder's running job, or an empty string."""
    return next((key for key, state in queue(folder).items() if state == "RUNNING"), "")


def submitted(printed: str) -> list[str]:
    """Return the ids that Snakemake reported as submitted; of arrays, the first."""
    return re.findall(r"Submitted .*?(?:job|array of \d+,) (\d+)", printed)


def has_started(folder: Path):
    """Return a condition: the counting job has begun to count."""
    return lambda: (folder / "count.state").exists()


def starts(folder: Path) -> list[int]:
    """Return the count at which the counting job started, each time."""
    return [int(line) for line in (folder / "count.state.starts").read_text().split()]
