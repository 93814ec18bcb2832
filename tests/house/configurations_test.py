#!/usr/bin/env python3
"""configurations_test.py ROOT BUILD CONFIGURATION... -- SKIPPED...: no test runs again but by the table
tests/configurations/meson.build, and what the table skips is there.

SKIPPED is "CONFIGURATION: PROGRAM [CASES]: REASON". Fails with a line for each breach.
"""
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

TABLE = "tests/configurations/meson.build"
root, build = Path(sys.argv[1]), Path(sys.argv[2])
end = sys.argv.index("--")
configurations, skipped = sys.argv[3:end], sys.argv[end + 1:]
breaches = []

listed = subprocess.run(["meson", "introspect", str(build), "--tests"], capture_output=True, text=True,
                        check=True)
tests = json.loads(listed.stdout)
names = {test["name"] for test in tests}


def is_by_the_table(name):
    return any(name.endswith(f"-{each}") and name[:-len(each) - 1] in names for each in configurations)


# A program of this build that is given to several tests. What is kept of several ABI versions is given
# the plugins of each: another subject, not another configuration.
programs = defaultdict(list)
for test in tests:
    program = Path(test["cmd"][0])
    if build in program.parents and program.name != "kept-plugins":
        programs[program.name].append(test["name"])
    if not is_by_the_table(test["name"]):
        if any(word.startswith("--gtest_filter") for word in test["cmd"]):
            breaches.append(f"test {test['name']}: is given a filter: name it in `skipped` of {TABLE}")
for program, of_it in programs.items():
    own = [name for name in of_it if not is_by_the_table(name)]
    if len(own) > 1:
        breaches.append(f"{program}: runs as {', '.join(sorted(own))}: a test runs again as {TABLE} says")
for each in configurations:
    if not any(name.endswith(f"-{each}") for name in names):
        breaches.append(f"{TABLE}: no test runs '{each}': take it out, or name its folders in `of`")

sources = "".join(file.read_text() for file in sorted((root / "tests").rglob("*_test.cpp")))
for entry in skipped:
    configuration, what, reason = (entry.split(": ", 2) + ["", ""])[:3]
    program, _, cases = what.partition(" ")
    if program not in names:
        breaches.append(f"{TABLE}: '{configuration}' skips '{program}': there is no such test")
    if not reason.strip():
        breaches.append(f"{TABLE}: '{configuration}' skips '{what}' without a reason")
    if cases:
        suite, _, case = cases.partition(".")
        case = r"\w+" if case == "*" else re.escape(case)
        if not re.search(rf"TEST\w*\(\s*{re.escape(suite)},\s*{case}\)", sources):
            breaches.append(f"{TABLE}: '{configuration}' skips '{cases}': no such case")

# A case that looks for itself under what it runs is skipped where nobody reads it.
for file in sorted((root / "tests").rglob("*.[ch]*")):
    if file.name == "over_workers.cpp" or not file.is_file():
        continue
    for number, line in enumerate(file.read_text().split("\n"), 1):
        if re.search(r'getenv\("FRESHET_TEST_WORKERS"', line):
            breaches.append(f"{file.relative_to(root)}:{number}: reads FRESHET_TEST_WORKERS: make what is "
                            f"left out a case of its own, and name it in `skipped` of {TABLE}")

print("\n".join(breaches))
sys.exit(1 if breaches else 0)
