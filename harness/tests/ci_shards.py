#!/usr/bin/env python3
"""Runs the jobs of ci/shards/github.yml and gitlab.yml: ci_shards.py SHARDS BIN FOLDER TARGET

Each job gets a new workspace in FOLDER, with stand-ins for what a test does not do again
(installing packages and building), and what the service would have brought along:
artifacts of the jobs before it. What the last job leaves is kept in FOLDER/SERVICE.
The target is one of fewer states: TARGET instead of manifest.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

shards, binaries, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
target = sys.argv[4]


def workspace(path):
    """A checkout of which nothing need be built."""
    (path / "ci").mkdir(parents=True)
    write(path / "ci/install", "#!/bin/sh\n[ $# -eq 1 ]\n")
    write(path / "stand-in/cmake", f"""#!/bin/sh
case $1 in
--install) mkdir -p "$4" && ln -s "{binaries.parent}"/* "$4" ;;
-S | --build) ;;
*) exit 1 ;;
esac
""")
    return path


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def run(path, script, variables):
    """The script in the workspace; its exit status."""
    environment = dict(os.environ, **variables)
    environment["PATH"] = f"{path / 'stand-in'}:{environment['PATH']}"
    return subprocess.run(["bash", "-e", "-c", script], cwd=path, env=environment,
                          stdout=subprocess.DEVNULL, check=False).returncode


def copy(source, target):
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def filled_in(value, variables):
    """${{ matrix.shard }} and the like."""
    return re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda found: variables[found[1]], str(value))


def github_step(step, path, artifacts, variables):
    if "run" in step:
        assert run(path, filled_in(step["run"], variables), {}) == 0, step
        return
    action = step["uses"].split("@")[0]
    options = {key: filled_in(value, variables) for key, value in step.get("with", {}).items()}
    if action == "actions/upload-artifact":
        source = path / options["path"]
        target = artifacts / options["name"]
        copy(source, target if source.is_dir() else target / source.name)
    elif action == "actions/download-artifact":
        copy(artifacts / options["name"] if "name" in options else artifacts, path)
    else:
        assert action == "actions/checkout", step


def load(name):
    """A service's file, for the target."""
    text, count = re.subn(r"--target manifest\b", f"--target {target}", (shards / name).read_text())
    assert count == 2, f"{name}: to record and to explore"
    return yaml.safe_load(text)


def github(place):
    workflow = load("github.yml")
    assert True in workflow, "on: (which YAML 1.1 takes for true)"
    assert list(workflow["jobs"]) == ["record", "shard", "merge"]
    for name, job in workflow["jobs"].items():
        numbers = job.get("strategy", {}).get("matrix", {}).get("shard", [0])
        for number in numbers:
            path = workspace(place / f"{name}-{number}")
            for step in job["steps"]:
                github_step(step, path, place / "artifacts", {"matrix.shard": str(number)})
    return place / "merge-0"


def gitlab_job(job, path, artifacts, variables):
    if artifacts.exists():
        copy(artifacts, path)
    status = run(path, "\n".join(job["script"]), variables)
    assert status == 0 or status in job.get("allow_failure", {}).get("exit_codes", []), job
    for pattern in job["artifacts"]["paths"]:
        name = re.sub(r"\$(\w+)", lambda found: variables[found[1]], pattern)
        assert (path / name).exists(), name
        copy(path / name, artifacts / name)


def gitlab(place):
    pipeline = load("gitlab.yml")
    for stage in pipeline["stages"]:
        job = pipeline[stage]
        assert job["stage"] == stage
        count = job.get("parallel", 1)
        for number in range(1, count + 1):
            variables = {"CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": str(count)}
            gitlab_job(job, workspace(place / f"{stage}-{number}"), place / "artifacts", variables)
    return place / "merge-1"


for service in (github, gitlab):
    last = service(folder / (service.__name__ + "-jobs"))
    (folder / service.__name__).mkdir()
    for name in ("manifest.cmt", "crash-matrix"):
        copy(last / name, folder / service.__name__ / name)
