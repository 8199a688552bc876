"""Words and constructs that do not belong in Swift code, or only with a reason."""

import re
from pathlib import PurePath

from .rules import rule

# Where a rule does not hold, and why.
EXCEPTIONS = {
    ("sleep-in-test", "Tests/TestSupport/Eventually.swift"): "polls a fact until its deadline: the one allowed wait",
    ("sleep-in-test", "Tests/TestSupport/FakeProvider"): "plays a provider that takes its time",
    ("sleep-in-test", "Tests/TestSupport/SlowParty.swift"): "plays whoever is slow in a test",
}

_TRAPS = {
    re.compile(r"\btry!"): "try! turns a failure of the world into a crash; throw it",
    re.compile(r"\bfatalError\("): "fatalError: use precondition with both values in the text, or throw",
}
_TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_ISSUE = re.compile(r"#\d+")
_UNSAFE = re.compile(r"@unchecked\s+Sendable|\bTask\.detached\b|\bnonisolated\(unsafe\)")
_REASON = re.compile(
    r"sendable|unchecked|unsafe|thread|lock|mutex|confine|isolat|serial|executor|event loop|immutable|detach|await",
    re.IGNORECASE,
)
_PRINT = re.compile(r"(?<![\w.`])(?:print|debugPrint|dump|NSLog)\((?![^\n]*\bto: ?&)")
_VAGUE = re.compile(r"(?:Util|Utilitie|Utility|Helper|Manager)s?$|^(?:Common|Misc)(?=[A-Z]|$)")
_VAGUE_FOLDER = re.compile(r"^(?:Utils?|Utilities|Common|Helpers?|Managers?|Models|Misc|New)$", re.I)
_TYPE = re.compile(r"\b(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)")
_SLEEP = re.compile(
    r"(?:\bThread|\bTask(?:<[^>\n]*>)?|(?:Continuous|Suspending)Clock\(\))\.sleep\b|(?<![\w.])(?:u|nano)?sleep\("
)
_PLACE = re.compile(r"(?<![\w.-])/(?:work|Users/\w+)/|\.librar[y]/|swift-package[s]\b")
_CODE = re.compile(
    r"""^(?:
        (?:(?:public|package|private|internal|static|final|override|mutating|@\w+)\s+)*
            (?:func\s+\w+\s*[(<]|(?:struct|class|enum|actor|extension|protocol)\s+\w+\s*[:{]|init\(|import\s+[A-Z]\w+$
               |(?:let|var)\s+\w+\s*(?::\s*[\w\[(]|=\s))
      | (?:if|guard|while|for|switch|do|defer|else|catch|case)\b.*\{$
      | case\s+\.\w+.*:$
      | \}(?:\s*(?:else|catch)\b.*\{|\))?$
      | return(?:\s+[\w.]+\(.*\))?$
      | (?:try[?!]?\s+|await\s+|_\s=\s)+[\w.]+\(.*\)$
      | self\.\w[\w.]*(?:\s*[-+]?=\s.+|\(.*\))$
      | [a-z]\w*(?:\.\w+)+\(.*\)$
      | \#(?:expect|require)\(
    )""",
    re.VERBOSE,
)


@rule("trap")
def traps(project):
    """No try! and no fatalError."""
    for source in project.sources:
        for pattern, message in _TRAPS.items():
            for line, _ in source.code_matches(pattern):
                yield source.path, line, message


@rule("todo")
def todos(project):
    """TODO and the like name an issue: `TODO #12`."""
    for source in project.sources:
        for comment in source.comments:
            for offset, text in enumerate(comment.text.split("\n")):
                if (found := _TODO.search(text)) and not _ISSUE.search(text):
                    yield source.path, comment.line + offset, f"{found.group()} without the number of an issue"


@rule("needs-reason")
def unexplained_escapes(project):
    """@unchecked Sendable, Task.detached and nonisolated(unsafe) have their reason on the line or right above."""
    for source in project.sources:
        for line, found in source.code_matches(_UNSAFE):
            if not _is_explained(source, line):
                yield source.path, line, f"{found.group()} without a comment that says why it is safe"


@rule("print")
def prints(project):
    """Only commands print; everything else logs."""
    for source in project.sources:
        if source.path.startswith("Sources/Commands/"):
            continue
        for line, found in source.code_matches(_PRINT):
            yield source.path, line, f"{found.group()}…) outside Sources/Commands: log it, or return it"


@rule("vague-name")
def vague_names(project):
    """No Utils, Common, Helpers, Managers, Models or Misc, neither folder nor file nor type."""
    for source in project.sources:
        path = PurePath(source.path)
        vague = [part for part in path.parts[:-1] if _VAGUE_FOLDER.match(part)]
        if vague or _VAGUE.search(path.stem.split("+")[0]):
            yield source.path, 1, f"{(vague or [path.stem])[0]}: name the folder or file after its one purpose"
        for line, found in source.code_matches(_TYPE):
            if _VAGUE.search(found.group(1)):
                yield source.path, line, f"{found.group(1)}: name the type after what it is"


@rule("sleep-in-test")
def sleeps_in_tests(project):
    """A test waits for a fact with a deadline, never for time to pass."""
    for source in project.sources:
        if not source.path.startswith("Tests/") or _is_excepted("sleep-in-test", source.path):
            continue
        for line, found in source.code_matches(_SLEEP):
            yield source.path, line, f"{found.group().rstrip('(')}: wait for an event, or eventually(within:)"


@rule("commented-out-code")
def commented_out_code(project):
    """Code that is not wanted is deleted; git remembers it."""
    for source in project.sources:
        for comment in source.comments:
            is_alone = not source.code_lines[comment.line - 1].strip()
            if is_alone and not comment.is_doc and _CODE.match(comment.text):
                yield source.path, comment.line, f"this looks like code: {comment.text[:60]!r}"


@rule("machine-path")
def machine_paths(project):
    """No file names a folder of somebody's machine."""
    for path, text in project.texts.items():
        for number, line in enumerate(text.split("\n"), start=1):
            if found := _PLACE.search(line):
                yield path, number, f"a place on one machine: {found.group()!r}"


def _is_excepted(rule_name, path):
    return any(rule_name == name and path.startswith(place) for name, place in EXCEPTIONS)


def _is_explained(source, line):
    """Whether a comment stands on the line, or ends right above it (attributes may lie between).

    A plain comment is believed; a doc comment, which every declaration has, must speak of the matter.
    """
    if line in source.comment_lines:
        return True
    above = line - 1
    while above > 0 and source.code_lines[above - 1].lstrip().startswith("@"):
        above -= 1
    while (comment := source.comment_lines.get(above)) and not source.code_lines[above - 1].strip():
        if not comment.is_doc or _REASON.search(comment.text):
            return True
        above -= 1
    return False
