#!/usr/bin/env python3
"""words.py ROOT [--update]: discouraged words, counted per file; the counts may only fall.

Reads the comments and string literals of C++, the comments of scripts and build files, and the pages:
what people read. Identifiers are left to reviews. The counts that stand are tests/house/words.counts,
"COUNT WORD FILE" a line; a file that is not listed there has none of any word.

Exit code 1 if a count has risen: says the lines and the better word. Counts that have fallen pass.
--update writes the counts as they are, also after files were moved or split; it refuses if the sum of
a word over all files would rise.
"""
import os
import re
import sys
from collections import Counter, defaultdict

FOLDERS = ["core", "sdk", "tools", "plugins", "samples", "docs"]
PAGES = ["README.md", "CONTRIBUTING.md"]
COUNTS = "tests/house/words.counts"

# Word, how it is found, what to write. ~ is any space, also a line's end within a paragraph. A
# pattern leaves out the right uses of its word.
WORDS = [
    ("anew", r"anew", "again"),
    ("are none", r"(?<!there~)(?:is|are|was|were)~none", "is not, does not exist, are missing"),
    ("is no", r"(?<!there~)(?:is|are|was|were)~no(?=~(?!longer|more|less|later|one))", "is not a"),
    ("no more", r"no~more(?=~(?:and|or|but|once|because|when|if)\b|[.,;:)|]|\s*$)", "no longer"),
    ("tell", r"tell|tells|telling|told", "report, notify, say; for 'tell apart' distinguish"),
    ("behind", r"behind", "after, at the end of, that follows"),
    ("mend", r"mend|mends|mended|mending", "fix"),
    ("how many-th", r"how~many-th", "its ordinal, its index"),
    ("can't be meant", r"(?:can't|cannot)~be~meant", "is invalid"),
    ("of before", r"(?<!go~)of~before", "from earlier, created earlier"),
    ("first first", r"first~first", "in FIFO order"),
    ("turn about", r"turn~and~turn~about", "round-robin"),
    ("light out", r"the~light~out", "the last process cleans up"),
    ("Of ...", r"(?-i:Of)", "a sentence with a subject and a verb"),
]
GAP = r"(?:(?:[ \t]|\n(?![ \t]*\n))+)"


def compiled(pattern):
    pattern = pattern.replace("~)", r"\s)").replace("~", GAP)  # what is looked back at has one width
    return re.compile(r"(?<![\w.>:&`])(?:" + pattern + r")(?![\w(`])", re.I)


PATTERNS = [(word, compiled(pattern), better) for word, pattern, better in WORDS]

CPP = re.compile(
    r'(?P<raw>R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)")'
    r'|(?P<text>"(?:\\.|[^"\\\n])*")'
    r"|(?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')"
    r"|(?P<line>//[^\n]*)"
    r"|(?P<block>/\*.*?\*/)", re.S)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[^\n]*", re.M)


def blank(text):
    """The text's lines without what they hold."""
    return re.sub(r"[^\n]", " ", text)


def prose_of_cpp(text):
    """Comments and string literals at their places; a bar stands for the code between them."""
    text = INCLUDE.sub(lambda found: blank(found.group()), text)
    prose, at = [], 0

    def code(until):
        between = text[at:until]
        first = len(between) - len(between.lstrip())
        prose.append(between[:first] + "|" * (first < len(between)) + blank(between[first + 1:]))

    for found in CPP.finditer(text):
        code(found.start())
        at = found.end()
        if found["line"]:
            prose.append("  " + found["line"][2:])
        elif found["block"]:
            inside = found["block"].replace("/*", "  ").replace("*/", "  ")
            prose.append(re.sub(r"(?m)^([ \t]*)\*", r"\1 ", inside))
        elif found["char"]:
            prose.append(blank(found["char"]))
        else:  # a literal that follows at once goes on with the sentence
            prose.append(found.group().replace('"', " "))
    code(len(text))
    return "".join(prose)


def prose_of_script(text):
    lines = []
    for line in text.split("\n"):
        comment = re.search(r"(?:^|\s)#", line)
        lines.append(" " * comment.end() + line[comment.end():] if comment else "")
    return "\n".join(lines)


def prose_of_page(text):
    """All of it, but of C++ only what prose_of_cpp() leaves."""
    def code(block):
        return "      " + prose_of_cpp(block.group(1)) + "   "
    return re.sub(r"(?ms)^```cpp(\n.*?)^```", code, text)


def reader_of(name):
    if name.endswith((".h", ".cpp", ".c", ".in")):
        return prose_of_cpp
    if name.endswith(".md"):
        return prose_of_page
    if name.endswith((".sh", ".py", ".yaml", ".map")) or name in ("meson.build", "meson_options.txt"):
        return prose_of_script
    return None


def files_of(root):
    for folder in FOLDERS:
        for where, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if reader_of(name):
                    yield os.path.relpath(os.path.join(where, name), root)
    for page in PAGES:
        if os.path.exists(os.path.join(root, page)):
            yield page


def findings(root):
    """(file, word): its lines."""
    found = defaultdict(list)
    read = 0
    for file in sorted(files_of(root)):
        read += 1
        with open(os.path.join(root, file), encoding="utf-8") as source:
            prose = reader_of(os.path.basename(file))(source.read())
        for word, pattern, _ in PATTERNS:
            for match in pattern.finditer(prose):
                found[file, word].append(prose.count("\n", 0, match.start()) + 1)
    if not read:
        sys.exit(f"no source under {root}: not a tree of Freshet")
    return found


def listed(root):
    counts = {}
    path = os.path.join(root, COUNTS)
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if line.startswith("#") or not line.strip():
            continue
        entry = re.fullmatch(r" *(\d+)  (.+?)  (\S+)\n", line)
        if not entry:
            sys.exit(f"{COUNTS}:{number}: {line.rstrip()!r}: expected COUNT  WORD  FILE. After a merge "
                     "take either side and run tests/house/words.py . --update")
        counts[entry[3], entry[2]] = int(entry[1])
    return counts


def sums(counts):
    total = Counter()
    for (_, word), count in counts.items():
        total[word] += count
    return total


def update(root, now, before):
    after, old = sums(now), sums(before)
    risen = [word for word in after if after[word] > old[word]]
    for word in risen:
        print(f"'{word}': {after[word]} in all, {old[word]} listed: counts may only fall")
    if risen:
        return 1
    with open(os.path.join(root, COUNTS), "w", encoding="utf-8") as out:
        out.write("# Discouraged words that are left, per file: see words.py, which writes this list.\n")
        for (file, word), count in sorted(now.items()):
            out.write(f"{count:4}  {word}  {file}\n")
    print(f"{COUNTS}: {sum(old.values())} before, {sum(after.values())} now")
    return 0


def check(now, found, before):
    better = {word: instead for word, _, instead in PATTERNS}
    risen = sorted(key for key in now if now[key] > before.get(key, 0))
    for file, word in risen:
        for line in found[file, word]:
            print(f"{file}:{line}: '{word}': write: {better[word]}")
        print(f"{file}: {now[file, word]} of '{word}', {before.get((file, word), 0)} listed in {COUNTS}")
    if risen:
        print("write the better word; if the file was only moved or split: tests/house/words.py . --update")
    elif any(now.get(key, 0) < before[key] for key in before):
        print(f"{sum(before.values())} listed, {sum(now.values())} left: tests/house/words.py . --update")
    return 1 if risen else 0


def main(arguments):
    if not arguments or arguments[1:] not in ([], ["--update"]):
        sys.exit(__doc__)
    root = arguments[0]
    found = findings(root)
    now = {key: len(lines) for key, lines in found.items()}
    before = listed(root)
    return update(root, now, before) if len(arguments) > 1 else check(now, found, before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
