#!/usr/bin/env python3
"""Doxygen's input filter: what it takes for documentation are the plain comments of our headers.

  the comment at the top of a file         describes the file
  comment lines above a declaration        describe it
  a comment after a member or enumerator   describes that

A line 'Threads    The task's fiber.' becomes an item of a list, an indented line is code. A comment
with an empty line after it belongs to no declaration and stays plain. Text is escaped, so that no
word of it is taken for a command or for HTML. The name of a header becomes a reference, which doxygen
checks.
"""
import re
import sys

ITEM = re.compile(r"([A-Z][\w-]*(?: [a-z]\w*)?) {2,}(\S.*)")
HEADER = re.compile(r"(?<![\w/.<])((?:\w+/)*\w+\.h)\b")
VERBATIM = re.compile(r'(`[^`]*`|"[^"]*")')
TRAILING = re.compile(r"^(\s*)(.*?\S)(\s+)//(?!/)\s?(.*)$")
ENUMERATOR = re.compile(r"^k[A-Z]\w*( = [^;{]*)?$")


def escaped(text):
    """Everything outside of `code` and "quotes", which doxygen takes as they are."""
    parts = VERBATIM.split(text)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"([\\@<>#&%|]|(?<!\w)::)", r"\\\1", parts[i])
        parts[i] = HEADER.sub(r"@ref \1", parts[i])
    return "".join(parts)


def formatted(lines):
    """The lines of one comment, which come without their '//'."""
    out, code = [], False
    text_begins = None  # the column of a list item's text
    for line in lines:
        indent = len(line) - len(line.lstrip())
        item = ITEM.fullmatch(line.strip()) if indent <= 1 else None
        bullet = line.strip().startswith("- ")
        continues = text_begins is not None and indent >= min(text_begins, 8)
        if line.strip() and not (item or bullet or continues) and indent >= 3:
            if not code:
                out.append("@code{.cpp}")
            code, text_begins = True, None
            out.append(re.sub(r"/\*.*?\*/ ?", "", line[1:]))  # doxygen would end the comment there
            continue
        if code:
            out.append("@endcode")
            code = False
        if item:
            text_begins = line.index(item[2])
            out.append("- **" + escaped(item[1]) + "**: " + escaped(item[2]))
        elif bullet:
            text_begins = indent + 2
            out.append(escaped(line.strip()))
        elif continues:
            out.append("  " + escaped(line.strip()))
        else:
            text_begins = None if line.strip() else text_begins
            out.append(escaped(line.strip()))
    return out + ["@endcode"] * code


def declares(line):
    """Whether a comment above this line describes it."""
    text = line.strip()
    return bool(text) and not text.startswith(("}", "#if", "#el", "#end", "#inc", "#undef", "#pragma"))


def text_of(comment):
    return comment.strip()[2:]


def documentation(margin, of_file, lines):
    words = formatted(lines)
    if of_file:  # an empty line ends it
        return ["/// @file"] + ["/// " + each for each in words] + [""]
    return [margin + "/// " + each for each in words]


def filtered(lines):
    out, i = [], 0
    column = None  # of the trailing comment that the next line may continue
    while i < len(lines):
        line = lines[i]
        text = line.strip()
        if text.startswith("//"):
            if line.index("//") == column:
                out.append(line[:column] + "///< " + escaped(text_of(line).strip()))
                i += 1
                continue
            column = None
            begin = i
            while i < len(lines) and lines[i].strip().startswith("//"):
                i += 1
            block = lines[begin:i]
            top = begin == 0
            if not top and not (i < len(lines) and declares(lines[i])):
                out += block
                continue
            margin = line[: line.index("//")]
            out += documentation(margin, top, [text_of(each) for each in block])
            continue
        if text.startswith("/*"):
            column = None
            begin = i
            while "*/" not in lines[i]:
                i += 1
            i += 1
            block = lines[begin:i]
            if begin != 0 and not (i < len(lines) and declares(lines[i])):
                out += block
                continue
            words = [re.sub(r"^\s*(/\*|\*(?!/))?", "", each) for each in block]
            words[-1] = words[-1][: words[-1].rindex("*/")]
            out += documentation("", begin == 0, words)
            continue
        trailing = TRAILING.match(line)
        column = None
        if trailing and not trailing[2].startswith(("}", "#", "namespace")) and (
                trailing[2].endswith((";", ",")) or ENUMERATOR.match(trailing[2])):
            column = line.index("//", len(trailing[1]) + len(trailing[2]))
            out.append(line[:column] + "///< " + escaped(trailing[4].strip()))
        else:
            out.append(line)
        i += 1
    return out


with open(sys.argv[1], encoding="utf-8") as header:
    print("\n".join(filtered(header.read().split("\n"))))
