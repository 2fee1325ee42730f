"""Proves the rows of track-record.json again.

usage: track_record.py BIN DATA REPORTS [--quick] [--json FILE] [TARGET...]

Runs each target (all, with --quick those that are marked so, or those named) under the
models of each of its rows, and prints a table. A row must show the recorded findings,
all of them and no others. REPORTS/TARGET-N has what crashmatrix run --report leaves, for
replay. Exit status: 0 as recorded, 1 not, 2 wrong usage.
"""
import json
import os
import shutil
import subprocess
import sys

HEAD = ("target", "version", "model", "verdict", "states", "runs", "seconds")
WIDTHS = (17, 20, 17, 8, 14, 7, 8)


def line(cells):
    return "  ".join(str(cell).ljust(width) for cell, width in zip(cells, WIDTHS)).rstrip()


def installed_version(package):
    found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                           capture_output=True, text=True, check=False)
    return found.stdout if found.returncode == 0 else "?"


def run_row(tool, target, row, folder):
    """Returns the report, or None and the text of what is wrong."""
    command = [tool, "run", "--target", target, "--report", folder]
    for model in row["models"]:
        command += ["--model", model]
    for kind in row.get("accept", []):
        command += ["--accept", kind]
    if "budget" in row:
        command += ["--budget", str(row["budget"]), "--accept", "budget"]
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        return None, done.returncode, (done.stderr or done.stdout).strip()
    with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
        return json.load(file), done.returncode, ""


def states(model):
    covered, legal = model["states"]["covered"], model["states"]["legal"]
    return legal if covered == legal else f"{covered}/{legal}"


def judge(row, report, status, folder):
    """Prints a line for each model, and the differences; returns how many there are."""
    wanted, wrong = sorted(row["findings"]), 0
    seconds = {entry["name"]: entry["seconds"] for entry in report["timing"]["models"]}
    for model in report["models"]:
        found = sorted(violation["reason"] for violation in model["violations"])
        print(line(("", "", model["name"], model["verdict"], states(model), model["runs"],
                    f"{seconds[model['name']]:.2f}")))
        for violation in model["violations"]:
            print(f"    {violation['reason']}: {violation['id']}")
        if "budget" not in row and not model["exhaustive"]:
            print("    NOT AS RECORDED: not exhaustive")
            wrong += 1
        for reason in sorted(set(wanted) - set(found)):
            print(f"    NOT AS RECORDED: not found: {reason}")
            wrong += 1
        for reason in sorted(set(found) - set(wanted)):
            print(f"    NOT AS RECORDED: new: {reason}")
            wrong += 1
    if status != (1 if wanted else 0):
        print(f"    NOT AS RECORDED: exit status {status}, verdict {report['verdict']}: {folder}")
        wrong += 1
    return wrong


def prove(tool, program, reports):
    """Returns "ok", "skipped" or "wrong"."""
    target, wrong = program["target"], 0
    version = installed_version(program["package"])
    print(line((target, version)))
    if version not in ("?", program["version"]):
        print(f"    another version than the recorded one, {program['version']}")
    for number, row in enumerate(program["rows"]):
        folder = os.path.join(reports, f"{target}-{number + 1}")
        report, status, text = run_row(tool, target, row, folder)
        if report is None and status == 2 and "which is not installed" in text:
            print(f"    skipped: {text}")
            return "skipped"
        if report is None:
            print(f"    NOT AS RECORDED: exit status {status}: {text}")
            wrong += 1
        else:
            wrong += judge(row, report, status, folder)
        sys.stdout.flush()
    return "wrong" if wrong else "ok"


def main(arguments):
    quick = "--quick" in arguments
    words = [word for word in arguments if word != "--quick"]
    if len(words) < 3 or any(word.startswith("-") for word in words):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    tool, (data, reports), names = os.path.join(words[0], "crashmatrix"), words[1:3], words[3:]
    with open(data, encoding="utf-8") as file:
        programs = json.load(file)["programs"]
    unknown = set(names) - {program["target"] for program in programs}
    if unknown:
        print(f"track_record.py: not in {data}: {' '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    programs = [program for program in programs
                if (not names or program["target"] in names)
                and (not quick or program.get("quick", False))]
    os.makedirs(reports, exist_ok=True)
    print(line(HEAD))
    outcomes = [prove(tool, program, reports) for program in programs]
    print(f"{len(programs)} programs: {outcomes.count('ok')} as recorded, "
          f"{outcomes.count('wrong')} not, {outcomes.count('skipped')} skipped")
    return 1 if "wrong" in outcomes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
