"""The targets of Package.swift: where each one's files are and what it may import."""

import re
from dataclasses import dataclass, field

from .source import SwiftSource

_PRODUCT = re.compile(r'let (\w+) = Target\.Dependency\.product\(name: "(\w+)"')
_TARGET = re.compile(
    r'(?P<kind>\broom|\bcommand|\btests|\.target|\.executableTarget|\.testTarget|\.systemLibrary)\(\s*'
    r'(?:name: |of: )?"(?P<name>[\w-]+)"'
)
_IMPORTS = re.compile(r"\b(?:imports|dependencies): \[(?P<list>[^\]]*)\]")
_IMPORT = re.compile(r'\.product\(name: "(?P<product>\w+)"[^)]*\)|"(?P<target>[\w-]+)"|(?P<variable>\w+)')
_FOLDERS = {
    "command": "Sources/Commands/{}",
    "tests": "Tests/{}Tests",
    ".testTarget": "Tests/{}",
}


@dataclass
class Target:
    name: str
    folder: str
    line: int
    imports: list = field(default_factory=list)


class ManifestError(Exception):
    """Package.swift says something that this reader does not understand; the message tells where."""


def read_targets(text):
    """All targets by name, from the text of Package.swift."""
    uncommented = SwiftSource("Package.swift", text).without_comments
    products = dict(_PRODUCT.findall(uncommented))
    targets = {}
    for match in _TARGET.finditer(uncommented):
        target = _read_target(match, _arguments(uncommented, match.start()), products)
        targets[target.name] = target
    return targets


def _arguments(text, start):
    """The text of a call from `start` to the parenthesis that closes it."""
    depth = 0
    for match in re.compile(r"[()]").finditer(text, start):
        depth += 1 if match.group() == "(" else -1
        if depth == 0:
            return text[start : match.end()]
    raise ManifestError(f"Package.swift: a call is not closed: {text[start:start + 40]!r}")


def _read_target(match, arguments, products):
    kind, name = match.group("kind"), match.group("name")
    line = match.string.count("\n", 0, match.start()) + 1
    path = re.search(r'path: "([^"]+)"', arguments)
    folder = path.group(1) if path else _FOLDERS.get(kind, "Sources/{}").format(name)
    target = Target(f"{name}Tests" if kind == "tests" else name, folder, line)
    declared = _IMPORTS.search(arguments)
    for entry in _IMPORT.finditer(declared.group("list")) if declared else []:
        variable = entry.group("variable")
        if variable and variable not in products:
            raise ManifestError(f"Package.swift:{line}: {name} imports {variable}, which is no product declared above")
        target.imports.append(entry.group("product") or entry.group("target") or products[variable])
    return target
