"""What ruamel.yaml could not read becomes a place and a sentence that names the mistake and how to mend it."""

import re

from ruamel.yaml.error import MarkedYAMLError

from newsletter.issue.nodes import Scalar

#: What stands before a value on its line: blanks, list dashes, one key.
_LEAD = re.compile(r"[ ]*(?:- +)*(?:[\w-]+:[ ]+)?")
_KEY = re.compile(r"[ ]*(?:- +)*(?P<key>[^\s:#'\"{\[][^:#]*):(?=\s|$)")
_TIGHT_KEY = re.compile(r"[ ]*(?:- +)*[\w-]+(?P<colon>:)[^\s/]")
#: What means something to YAML at the beginning of a value, and nothing to the author.
_MEANING = "*&!%@`"


def explain(text: str, error: MarkedYAMLError, last: Scalar | None) -> tuple[int, str]:
    """Where and what: an offset in ``text``, and a sentence. ``last`` is the last scalar that could be read."""
    mark = error.problem_mark or error.context_mark
    index = min(mark.index if mark else 0, len(text))
    begin = min(error.context_mark.index, index) if error.context_mark else index
    problem, context = str(error.problem or ""), str(error.context or "")
    return (
        _open_quote(context, problem, begin)
        or _tab(text, begin, index)
        or _special_start(text, index, problem)
        or _broken_quote(text, index, problem, last)
        or _colon(text, index, problem)
        or _structure(begin, index, problem)
        or (index, "cannot be read here; look at the indentation, quotation marks and colons of this line and the one above")
    )


def _line(text: str, index: int) -> tuple[int, str]:
    """Start and content of the line that ``index`` is in."""
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", index)
    return start, text[start : end if end >= 0 else len(text)]


def _line_above(text: str, start: int) -> tuple[int, str]:
    """The next line above that is not empty."""
    while start > 0:
        start, line = _line(text, start - 1)
        if line.strip():
            return start, line
    return 0, ""


def _open_quote(context: str, problem: str, begin: int) -> tuple[int, str] | None:
    if "quoted scalar" in context and "unexpected" in problem:
        return begin, "the quotation mark that opens here is never closed; add the closing one at the end of the text"
    return None


def _tab(text: str, begin: int, index: int) -> tuple[int, str] | None:
    start, _ = _line(text, begin)
    for match in re.finditer(r"^ *(\t)", text[start : max(index + 1, start)], re.MULTILINE):
        return start + match.start(1), "a tab indents this line; YAML needs blanks, two for each level"
    return (index, "here is a tab; write a blank instead") if text[index : index + 1] == "\t" else None


def _special_start(text: str, index: int, problem: str) -> tuple[int, str] | None:
    start, line = _line(text, index)
    lead = _LEAD.match(line)
    value = line[lead.end() :] if lead else line
    at = start + len(line) - len(value)
    if value.startswith("{{"):
        return at, 'a text that begins with {{ must stand in quotation marks: "{{ field }} …"'
    if value[:1] in ("[", "{") and problem.startswith("expected <block end>"):
        return at, f"a text that begins with {value[0]} must stand in quotation marks"
    if value[:1] in ("|", ">") and "indicator" in problem:
        return at, "after | or > the text begins on the next line, indented"
    if value and value[0] in _MEANING:
        return at, f"a text that begins with {value[0]} must stand in quotation marks"
    return None


def _broken_quote(text: str, index: int, problem: str, last: Scalar | None) -> tuple[int, str] | None:
    if "unknown escape" in problem or "escape sequence" in problem:
        return index - 1, "in a text in \"…\" a backslash has a meaning of its own; write \\\\, or put the text in '…'"
    quoted = last is not None and last.style in ("'", '"')
    if last is None or not quoted or "\n" in text[last.end : index]:
        return None
    if "\n" in text[last.start : last.end]:
        line = text.count("\n", 0, last.end) + 1
        return last.start, f"the quotation mark that opens here is closed only in line {line}; is the closing one missing?"
    other = "'" if last.style == '"' else '"'
    return last.end, (
        f"the text goes on after its closing quotation mark; put the whole text in {other}…{other}, or write inner quotes as “…”"
    )


def _colon(text: str, index: int, problem: str) -> tuple[int, str] | None:
    start, line = _line(text, index)
    if not problem.startswith("mapping values are not allowed"):
        return None
    above_start, above = _line_above(text, start)
    key = _KEY.match(line)
    if key is None or start + key.end("key") != index:
        name = key["key"].strip() if key else "title"
        return index, f'a colon and a blank inside a text; put the whole text in quotation marks: {name}: "…: …"'
    if tight := _TIGHT_KEY.match(above):
        return above_start + tight.start("colon"), "a blank is missing after this colon"
    if above and _KEY.match(above) is None:
        indent = len(above) - len(above.lstrip())
        return above_start + indent, "this line is neither a key with a colon nor indented as the text of one"
    return start + key.start("key"), (
        "this line is indented further than the keys above; line it up with them (a text of several lines begins with 'key: |')"
    )


def _structure(begin: int, index: int, problem: str) -> tuple[int, str] | None:
    if problem.startswith("could not find expected ':'"):
        return begin, "this line is neither a key with a colon nor indented as the text of one; indent the text under its key"
    if "flow" in problem or problem.startswith(("expected ',' or", "expected the node content")):
        return begin, "the { … } or [ … ] that begins here is not finished, or a text in it needs quotation marks"
    if problem.startswith("sequence entries are not allowed"):
        mend = "write each entry on a line of its own, or put the text in quotation marks"
        return index, f"a list cannot begin behind a key; {mend}"
    if problem.startswith("expected <block end>"):
        return index, "this line is not indented like the lines it belongs to; line it up with them"
    if problem.startswith("mapping keys are not allowed"):
        return index, "a text that begins with ? and a blank must stand in quotation marks"
    return None
