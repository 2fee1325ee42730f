#!/usr/bin/env python3
"""Runs the programs that are right: judge.py CRASHMATRIX PROGRAMS WORK [PROGRAM]...

Each is explored under all shipped models. Under those that promise what it relies
on it must pass, exhaustively and with nothing unseen. And what the tables say must
matter: for each promise that a model lacks there is a program that relies on it,
and on nothing else that this model lacks, which fails under it. (But for promises
that imply others which the model lacks: these are asked for.)
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent.parent / "models"


class Wrong(Exception):
    """Something that the test must report."""


def commands(program, programs, work):
    """The options that say how a program is run."""
    name = program["name"]
    command = f"{programs}/{'planted' if program.get('planted') else 'correct'} {name} "
    workload = command + ("correct" if program.get("planted") else "workload")
    if "workload" in program:
        source = HERE / program["workload"]
        start = {".sh": f"{source}", ".py": f"python3 {source}", ".cc": f"{work}/log"}
        workload = start[source.suffix]
    options = ["--setup", command + "setup", "--workload", workload, "--check", command + "check"]
    if program.get("recovery"):
        options += ["--recover", command + "recover", "--nested", "1"]
    if "accept" in program:
        options += ["--accept", program["accept"]]
    return options


def explore(crashmatrix, program, programs, work):
    """The report of a program under all models."""
    folder = work / program["name"]
    shutil.rmtree(folder, ignore_errors=True)
    scratch = work / ("scratch-" + program["name"])
    scratch.mkdir(exist_ok=True)
    result = subprocess.run(
        [crashmatrix, "run", "--model", "all", "--report", folder, "--scratch", scratch, "--jobs", "1"]
        + commands(program, programs, work),
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if result.returncode not in (0, 1):
        raise Wrong(f"{program['name']}: status {result.returncode}\n{result.stdout}{result.stderr}")
    with open(folder / "report.json", encoding="utf-8") as file:
        return json.load(file)


def judge(program, report, promised):
    """The models under which the program fails, which may be those that lack something only."""
    unseen = [thing for thing in report["trace"]["unobserved"] if not thing["accepted"]]
    if unseen:
        raise Wrong(f"{program['name']}: not everything was seen: {unseen}")
    failing = set()
    for model in report["models"]:
        name = model["name"]
        if not model["exhaustive"]:
            raise Wrong(f"{program['name']} under {name}: not exhaustive")
        if model["verdict"] == "fail":
            failing.add(name)
        if name in failing and set(program["relies"]) <= promised[name]:
            reasons = [(violation["reason"], violation["id"]) for violation in model["violations"]]
            raise Wrong(f"{program['name']} fails under {name}, which promises all it needs: {reasons}")
    return failing


def check_tables(tables, shipped):
    """Every name in one table is in the other, and every shipped model has a row."""
    named = {row["name"]: row["relies"] for row in tables["programs"]} | tables["models"]
    for name, promises in named.items():
        for promise in promises:
            if promise not in tables["promises"]:
                raise Wrong(f"{name}: unknown promise {promise}")
            implied = tables["implies"].get(promise, [])
            if not set(implied) <= set(promises):
                raise Wrong(f"{name}: {promise} implies {implied}")
    if set(tables["models"]) != shipped:
        raise Wrong(f"rows without a model or models without a row: {set(tables['models']) ^ shipped}")


def check_manual(tables):
    """MODEL.md has the promises, and the models that do not make them, in the same words."""
    with open(MODELS.parent / "MODEL.md", encoding="utf-8") as file:
        manual = file.read().splitlines()
    for promise, meaning in tables["promises"].items():
        lacking = [name for name, made in tables["models"].items() if promise not in made]
        row = f"| `{promise}`: {meaning} | {', '.join(lacking)} |"
        if row not in manual:
            raise Wrong(f"MODEL.md lacks this row:\n{row}")


def check_lacks(tables, failing):
    """A promise that a model lacks is one that a program misses."""
    for name, promises in tables["models"].items():
        for promise in set(tables["promises"]) - set(promises):
            if not set(tables["implies"].get(promise, [])) <= set(promises):
                continue
            missed = any(name in failing[row["name"]] for row in tables["programs"]
                         if set(row["relies"]) - set(promises) == {promise} and row["name"] in failing)
            if not missed:
                raise Wrong(f"{name} is said to lack {promise}, and no program shows it")


def main(crashmatrix, programs, work, *names):
    with open(HERE / "tables.json", encoding="utf-8") as file:
        tables = json.load(file)
    work = pathlib.Path(work)
    try:
        check_tables(tables, {path.stem for path in MODELS.glob("*.json")})
        check_manual(tables)
    except Wrong as error:
        sys.exit(str(error))
    promised = {name: set(promises) for name, promises in tables["models"].items()}
    rows = [row for row in tables["programs"] if not names or row["name"] in names]
    if not (work / "log").exists():
        print("log-cxx is skipped: no C++ compiler")
        rows = [row for row in rows if row["name"] != "log-cxx"]
    wrong, failing = [], {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = [(row, pool.submit(explore, crashmatrix, row, programs, work)) for row in rows]
        for row, report in reports:
            try:
                failing[row["name"]] = judge(row, report.result(), promised)
                fails = ", ".join(sorted(failing[row["name"]]))
                print(f"{row['name']}: {'fails under ' + fails if fails else 'clean'}")
            except Wrong as error:
                wrong.append(str(error))
    try:
        if not names and not wrong:
            check_lacks(tables, failing)
    except Wrong as error:
        wrong.append(str(error))
    sys.exit("\n".join(wrong) if wrong else 0)


main(*sys.argv[1:])
