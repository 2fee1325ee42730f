#!/usr/bin/env python3
"""Plants faults in the judge of portcheck-host, one at a time: the unit tests must see each.

judge_faults.py BUILD JUDGE.C TEST-OBJECT... -- LIBRARY...

judge_faults.json says what is changed into what. Each change is compiled as the build compiles
the file, and linked with each of the tests until one fails.
"""

import concurrent.futures
import functools
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

build, source = sys.argv[1:3]
objects = sys.argv[3:sys.argv.index("--")]
libraries = sys.argv[sys.argv.index("--") + 1:]
text = pathlib.Path(source).read_text(encoding="utf-8")


@functools.cache
def compiler():
    """The build's command for the judge, but for the file and its object, as words."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entry = next(one for one in json.load(file) if os.path.samefile(one["file"], source))
    command = shlex.split(entry["command"])
    for option in ("-o", "-c"):
        place = command.index(option)
        del command[place:place + 2]
    # What a fault leaves unused is no error; and it is compiling that takes long.
    return command + ["-w", "-O0", "-g0", "-I", os.path.dirname(source)]


@functools.cache
def linker():
    """The compiler, without what launches it, and with its sanitizers."""
    words = compiler()[1:] if "ccache" in compiler()[0] else compiler()
    return words[:1] + [word for word in words if word.startswith("-fsanitize")]


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def must(command, work):
    result = run(command, cwd=work)
    if result.returncode != 0:
        sys.exit(f"{shlex.join(command)}: {result.stderr}")


def is_seen(changed, work):
    """Whether a test fails with that text as the judge."""
    with open(os.path.join(work, "judge.c"), "w", encoding="utf-8") as file:
        file.write(changed)
    must(compiler() + ["-c", "judge.c", "-o", "judge.o"], work)
    for test in objects:
        must(linker() + ["-s", test, "judge.o", *libraries, "-o", "test"], work)
        if run(["./test"], cwd=work).returncode != 0:
            return True
    return False


def plant(fault):
    """What is wrong with the fault or the tests, or None."""
    count = text.count(fault["from"])
    if count != 1:
        return f"{fault['name']}: what is changed is there {count} times, not once"
    with tempfile.TemporaryDirectory() as work:
        if not is_seen(text.replace(fault["from"], fault["to"]), work):
            return f"{fault['name']}: no test sees it"
    return None


def main():
    with open(pathlib.Path(__file__).with_suffix(".json"), encoding="utf-8") as file:
        faults = json.load(file)
    with tempfile.TemporaryDirectory() as work:
        if is_seen(text, work):
            sys.exit("the tests fail without a fault")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [problem for problem in pool.map(plant, faults) if problem is not None]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(faults) - len(problems)} of {len(faults)} faults are seen")
    sys.exit(1 if problems else 0)


main()
