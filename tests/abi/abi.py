#!/usr/bin/env python3
"""abi.py COMMAND ROOT BUILD_INCLUDES: the binary interface of the SDK against what tests/abi/ keeps.

  check    compares the layout of classes, virtual functions and enumerations in the public headers
           with tests/abi/NUMBER/layout.txt, of the SDK's ABI version and of each that core keeps
  record   writes into the layout of the SDK's ABI version what is not there yet; a change of what is
           there is refused
  keep     copies the headers that the plugins of tests/abi/NUMBER/plugins include, for the SDK's ABI
           version, and records their layout from nothing. For a number that no release has yet

BUILD_INCLUDES is a build's folder sdk/include, with the header that Meson writes. The rule, and what to
do when a check fails: docs/maintainers/abi.md.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT, BUILT = sys.argv[2], sys.argv[3]
SDK = os.path.join(ROOT, "sdk/include")
KEPT = os.path.join(ROOT, "tests/abi")
PAGE = "docs/maintainers/abi.md"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def abi_version():
    return re.search(r"#define FRESHET_ABI_VERSION (\d+)", read(f"{SDK}/freshet/plugin.h"))[1]


def kept_versions():
    """As core/shared_objects/abi_versions.h has them."""
    listed = re.search(r"kKeptAbiVersions\[\] = \{([^}]*)\}",
                       read(f"{ROOT}/core/shared_objects/abi_versions.h"))[1]
    return [each.strip().replace("FRESHET_ABI_VERSION", abi_version()) for each in listed.split(",")]


# ---- what the headers say -------------------------------------------------------------------------

def headers():
    for where, _, names in sorted(os.walk(f"{SDK}/freshet")):
        for name in sorted(names):
            if name.endswith(".h"):
                yield os.path.relpath(os.path.join(where, name), SDK)


def classes_of(dump):
    """Names of classes of the SDK in gcc's dump, which are no templates; those that have virtual functions."""
    named = r"(?:freshet::[\w:]+|freshet_\w+)"
    every = re.findall(rf"^Class ({named})$", dump, re.M)
    polymorphic = set(re.findall(rf"^Vtable for ({named})$", dump, re.M))
    return [name for name in every if "::._" not in name], polymorphic


def records_in(dump):
    """Class: its size and its own fields, as clang lays them out."""
    layout = {}
    for block in dump.split("*** Dumping AST Record Layout\n")[1:]:
        lines = block.split("\n\n")[0].split("\n")
        begin = re.fullmatch(r" *0 \| (?:class|struct|union) (freshet[\w:]*)(?: \(empty\))?", lines[0])
        if not begin:
            continue
        fields = []
        for line in lines[1:]:
            field = re.fullmatch(r" *([\d:-]+) \|   (\S.*)", line)
            if field:
                what = re.sub(r"^(?:class|struct|enum|union) ", "", field[2].rstrip())
                fields.append(f"{field[1]:>6}  {what}")
            size = re.search(r"\[sizeof=(\d+), (?:dsize=\d+, )?align=(\d+)", line)
            if size:
                fields.append(f"{size[1]:>6}  bytes, aligned to {size[2]}")
        layout[begin[1]] = fields
    return layout


def virtual_functions_in(dump):
    """Class: its virtual functions in the order of its tables."""
    tables = {}
    for name, table in re.findall(r"^Vtable for '(freshet[\w:]+)' \(\d+ entries\)\.\n(.*?)\n\n", dump,
                                  re.M | re.S):
        tables[name] = [re.sub(r"^ *(\d+) \| ", lambda place: f"{place[1]:>6}  ", line)
                        for line in table.split("\n") if re.match(r" *\d+ \| ", line)]
    return tables


def enumerations():
    for header in headers():
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", read(f"{SDK}/{header}"), flags=re.S)
        for name, body in re.findall(r"enum (?:class )?(\w+)(?: : [\w:]+)? \{([^}]*)\}", text):
            values = re.sub(r"\s+", " ", body).strip(" ,").split(",")
            yield f"enum {name} of {header}", [f"{at:>6}  {value.strip()}"
                                               for at, value in enumerate(values)]


def layout_now():
    with tempfile.TemporaryDirectory() as folder:
        source = f"{folder}/all.cpp"
        common = ["-std=c++20", "-DMSGPACK_NO_BOOST", f"-I{SDK}", f"-I{BUILT}", source]
        text = "".join(f'#include "{header}"\n' for header in headers())
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        run(["g++", "-fsyntax-only", f"-fdump-lang-class={folder}/classes", *common])
        classes, polymorphic = classes_of(read(f"{folder}/classes"))
        for number, name in enumerate(classes):
            text += f"static_assert(sizeof({name}) > 0);\n"
            if name in polymorphic:
                text += f"void end{number}({name}* it) {{ it->~{name.split('::')[-1]}(); }}\n"
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        dump = run(["clang++-14", "-S", "-emit-llvm", "-o", "/dev/null", "-fno-access-control",
                    "-Xclang", "-fdump-record-layouts", "-Xclang", "-fdump-vtable-layouts", *common])
    records, tables = records_in(dump), virtual_functions_in(dump)
    layout = {}
    for name in classes:
        layout[name] = records[name]
        if name in tables:  # not a final one, which others call through its base
            layout[f"virtual functions of {name}"] = tables[name]
    for name, values in enumerations():
        layout.setdefault(name, []).extend(values)
    return layout


# ---- what is recorded -----------------------------------------------------------------------------

def recorded(number):
    layout = {}
    for block in read(f"{KEPT}/{number}/layout.txt").strip().split("\n\n")[1:]:
        name, *lines = block.split("\n")
        layout[name] = lines
    return layout


def write_layout(number, layout):
    with open(f"{KEPT}/{number}/layout.txt", "w", encoding="utf-8") as file:
        file.write(f"# What plugins of ABI version {number} see. Written by tests/abi/abi.py: {PAGE}\n")
        for name in sorted(layout):
            file.write("\n" + "\n".join([name, *layout[name]]) + "\n")


def show(change, name, before, now):
    print(f"{name}: {change}")
    for line in before:
        if line not in now:
            print(f"  -{line}")
    for line in now:
        if line not in before:
            print(f"  +{line}")


def breaks(number, now):
    """What a plugin of that version would take for something else."""
    own = number == abi_version()
    found = 0
    for name, before in recorded(number).items():
        after = now.get(name, [])
        if name.startswith("virtual functions of ") or name.startswith("enum "):
            appended = after[:len(before)] == before and not any("[pure]" in line
                                                                 for line in after[len(before):])
        else:
            appended = False
        if after == before or (appended and (not own or name.startswith("enum "))):
            continue
        found += 1
        if not after:
            change = "is gone"
        elif appended:
            change = "has more virtual functions"
        else:
            change = "is laid out in another way"
        show(f"{change} than in ABI version {number}", name, before, after)
    return found


def check():
    version, kept, now = abi_version(), kept_versions(), layout_now()
    folders = sorted((each for each in os.listdir(KEPT) if each.isdigit()), key=int)
    if folders != kept or kept[-1] != version:
        print(f"tests/abi/ has the ABI versions {', '.join(folders)}, core/shared_objects/abi_versions.h "
              f"keeps {', '.join(kept)}, freshet/plugin.h has {version}: keep the same, the SDK's own "
              f"last: {PAGE}")
        return 1
    found = sum(breaks(number, now) for number in kept)
    if found:
        print(f"\nPlugins that exist would break. If that was not meant, undo it; a virtual function goes to "
              f"the end of its class.\nElse raise FRESHET_ABI_VERSION and keep what it stands for: {PAGE}")
        return 1
    missing = [name for name in now if now[name] != recorded(version).get(name)]
    for name in missing:
        print(f"{name}: is not recorded in tests/abi/{version}/layout.txt")
    if missing:
        print(f"\nThat breaks no plugin. Record it: tests/abi/abi.py record {ROOT} {BUILT}")
    return 1 if missing else 0


def record():
    version, now = abi_version(), layout_now()
    if breaks(version, now):
        print(f"\nThat is another ABI version than {version}: {PAGE}")
        return 1
    write_layout(version, now)
    return 0


def keep():
    version = abi_version()
    plugins = f"{KEPT}/{version}/plugins"
    if not os.path.isdir(plugins):
        sys.exit(f"{plugins} is not there: copy the plugins of the version before: {PAGE}")
    included = set()
    for name in sorted(os.listdir(plugins)):
        rule = run(["g++", "-std=c++20", "-MM", f"-I{SDK}", f"-I{BUILT}", f"{plugins}/{name}"])
        included.update(os.path.relpath(each, SDK) for each in re.findall(r"\S+\.h", rule)
                        if os.path.abspath(each).startswith(os.path.abspath(SDK) + os.sep))
    shutil.rmtree(f"{KEPT}/{version}/include", ignore_errors=True)
    for header in sorted(included):
        copy = f"{KEPT}/{version}/include/{header}"
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copyfile(f"{SDK}/{header}", copy)
    now = layout_now()
    write_layout(version, now)
    print(f"tests/abi/{version}: {len(included)} headers, {len(now)} classes, tables and enumerations")
    return 0


if __name__ == "__main__":
    if not shutil.which("clang++-14") and "FRESHET_TEST_NEEDS_COMPILERS" not in os.environ:
        print("clang++-14 is not installed, which lays out the classes: ./dev setup --clang")
        sys.exit(77)
    commands = {"check": check, "record": record, "keep": keep}
    if len(sys.argv) != 4 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]]())
