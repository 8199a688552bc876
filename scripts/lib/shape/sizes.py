"""What is larger than the style advises: listed for a reader to judge, never a failure."""

import re
from dataclasses import dataclass

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 5
NESTING_MAX = 3

_FUNCTION = re.compile(
    r"(?<![.\w])(?:(?:func\s+(?:`[^`\n]*`|[^\s(<]+)|(?:init|subscript)[?!]?)\s*(?=[(<])|(?P<deinit>deinit)\s*(?=\{))"
)
_OPENING, _CLOSING = "([{", ")]}"
# What may follow a line break between the parameters of a function and its body.
_SIGNATURE_GOES_ON = re.compile(r"\s*(?:\{|->|where\b|async\b|throws\b|rethrows\b|&|,)")


@dataclass(frozen=True)
class Outlier:
    file: str
    line: int
    what: str
    size: int
    advised: int

    def __str__(self):
        return f"{self.file}:{self.line} {self.what} {self.size}"


def outliers(project):
    """Everything over the advised size, the furthest over first."""
    found = [outlier for source in project.sources for outlier in _outliers_of(source)]
    return sorted(found, key=lambda outlier: (-outlier.size / outlier.advised, outlier.file, outlier.line))


def _outliers_of(source):
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield Outlier(source.path, 1, "file lines", lines, FILE_LINES_MAX)
    for match in _FUNCTION.finditer(source.code):
        yield from _outliers_of_function(source, match)


def _outliers_of_function(source, match):
    line = source.line_of(match.start())
    name = source.text[match.start() : match.end()].removeprefix("func ").strip(" `")
    body = match.end()
    if not match.group("deinit"):
        parameters, end = _parameters(source.code, match.end())
        body = _body(source.code, end)
        if parameters > PARAMETERS_MAX and not _is_memberwise(source.code, body):
            yield Outlier(source.path, line, f"{name} parameters", parameters, PARAMETERS_MAX)
    if body is None:
        return
    end, deepest, nesting = _extent(source.code, body)
    length = source.line_of(end) - line + 1
    if length > FUNCTION_LINES_MAX:
        yield Outlier(source.path, line, f"{name} lines", length, FUNCTION_LINES_MAX)
    if nesting > NESTING_MAX:
        yield Outlier(source.path, source.line_of(deepest), f"{name} nesting", nesting, NESTING_MAX)


def _parameters(code, at):
    """The number of parameters of the list that begins at or after `at`, and where the list ends."""
    start = at = _after_generics(code, at)
    depth, commas, is_empty = 0, 0, True
    while at < len(code):
        character = code[at]
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
            if depth == 0:
                break
        elif depth == 1 and character == "," and not _is_in_angles(code[start:at]):
            commas += 1
            is_empty = True
        elif not character.isspace():
            is_empty = False
        at += 1
    return commas + (0 if is_empty else 1), at + 1


def _is_in_angles(text):
    """Whether a generic argument list, as of `Result<A, B>`, is open at the end of the text."""
    text = text.replace("->", "")
    return text.count("<") > text.count(">")


def _after_generics(code, at):
    depth = 0
    while at < len(code):
        depth += {"<": 1, ">": -1}.get(code[at], 0)
        if depth == 0 and code[at] == "(":
            return at
        at += 1
    return at


def _body(code, at):
    """Where the body's brace is, or None for a requirement of a protocol."""
    depth = 0
    while at < len(code):
        character = code[at]
        if character == "{" and depth == 0:
            return at
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        ends = character == "\n" and depth == 0 and not _SIGNATURE_GOES_ON.match(code, at)
        if depth < 0 or (ends and not code[:at].rstrip().endswith(("->", ",", "&", "where"))):
            return None
        at += 1
    return None


def _is_memberwise(code, body):
    """Whether an initializer only stores its parameters: as many as the type has fields is right for it."""
    if body is None:
        return False
    statements = code[body + 1 : _extent(code, body)[0]].strip().split("\n")
    return all(re.fullmatch(r"self\.(\w+) = \1", statement.strip()) for statement in statements)


def _extent(code, opening):
    """The end of the body, the place of its deepest block, and how many blocks deep that lies in the body.

    A block within one line, as in `map { $0.id }`, does not count.
    """
    blocks = []
    deepest, nesting = opening, 0
    for match in re.compile(r"[{}]").finditer(code, opening):
        if match.group() == "{":
            blocks.append((match.start(), len(blocks)))
            continue
        start, depth = blocks.pop()
        if depth > nesting and "\n" in code[start : match.start()]:
            deepest, nesting = start, depth
        if not blocks:
            return match.start(), deepest, nesting
    return len(code), deepest, nesting
