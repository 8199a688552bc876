"""Who may import whom. Package.swift has the table; what holds whatever the table says stands here."""

import re
from fnmatch import fnmatch

from .rules import rule

# From the ground up: a room imports only what lies in a lower layer.
LAYERS = [
    ["CCurl", "CHiredis", "CZlib", "Domain"],
    ["Settings", "Redis", "Store", "HTTPClient", "WebSocket", "Workspace", "PenguinMetrics"],
    ["Events", "LLM", "Tools"],
    ["Queue", "Engine"],
    ["Worker", "PenguinAPI"],
    ["API"],
    ["PenguinServer"],
    ["TestSupport"],
]
_LAYER_OF = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}

# Modules that come with the toolchain.
SYSTEM = {"Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Dispatch", "RegexBuilder", "Swift"}
SYSTEM_OF_TESTS = SYSTEM | {"Testing", "FoundationNetworking"}

# Modules that belong to few; everyone else goes through them.
SOLE_IMPORTERS = {
    "GRDB*": {"Store", "StoreTests", "TestSupport"},
    "*SQLite*": {"Store", "StoreTests"},
    "CCurl": {"HTTPClient"},
    "CHiredis": {"Redis", "RedisTests"},
    "CZlib": {"WebSocket", "WebSocketTests"},
    "Yams": {"Settings"},
    "TestSupport": {"*Tests", "fake-provider", "penguin-bench", "penguin-chaos"},
}

_IO = ["NIO*", "Hummingbird*", "GRDB*", "Redis", "Store", "Queue", "Events", "HTTPClient", "Subprocess", "CCurl"]
FORBIDDEN = {
    "Domain": [*_IO, "Dispatch", "FoundationNetworking", "Logging", "ServiceLifecycle", "Crypto"],
    "Engine": [*_IO, "Dispatch", "FoundationNetworking", "Glibc", "PenguinAPI", "API", "Worker"],
    "Redis": ["Domain"],
    "WebSocket": ["Domain", "Settings", "Redis", "Store"],
    "PenguinAPI": ["Engine", "Tools", "HTTPClient", "Hummingbird*"],
    "API": ["Engine", "Worker", "Store", "Redis", "Queue", "Events", "LLM", "HTTPClient"],
}

_SQL = re.compile(
    r"\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO\s|DELETE\s+FROM\s|UPDATE\s+\S+\s+SET\s|SELECT\s[^;]*\sFROM\s"
    r"|(?:CREATE|DROP|ALTER)\s+(?:TEMP\s+|VIRTUAL\s+|UNIQUE\s+)?(?:TABLE|INDEX|TRIGGER)\s|PRAGMA\s+\w)"
)
_REDIS_KEY = re.compile(r"^(?:\\\(\)|penguin:)?(?:jobs|log):(?!\s)")
_REDIS_COMMAND = re.compile(
    r"^(?:X(?:ADD|READ|READGROUP|RANGE|REVRANGE|ACK|DEL|AUTOCLAIM|CLAIM|PENDING|GROUP|INFO|TRIM|LEN)(?:\s|$)"
    r"|(?:S|P)?(?:PUBLISH|SUBSCRIBE|UNSUBSCRIBE)$)"
)


@rule("no-room")
def files_without_a_room(project):
    """A Swift file belongs to a target of Package.swift, and its target to a layer."""
    for source in project.sources:
        if project.owner(source.path) is None:
            yield source.path, 1, "this folder is no target of Package.swift"
    for target in project.targets.values():
        if _layer(target) is None:
            yield "Package.swift", target.line, f"{target.name} has no layer in scripts/lib/shape/imports.py"


@rule("undeclared-import")
def undeclared_imports(project):
    """A file imports only what its target declares in Package.swift."""
    for source, target, module, line in _imports(project):
        is_tests = target.folder.startswith("Tests/")
        if module not in target.imports and module not in (SYSTEM_OF_TESTS if is_tests else SYSTEM):
            yield source.path, line, f"{target.name} does not declare {module} in Package.swift"


@rule("upward-import")
def upward_imports(project):
    """A room imports only rooms of lower layers, in its files and in Package.swift."""
    for file, line, target, module in _edges(project):
        other = project.targets.get(module)
        if other is None or None in (_layer(target), _layer(other)):
            continue
        if _layer(other) >= _layer(target):
            yield file, line, f"{target.name} must not import {module}: it does not lie below"


@rule("sole-importer")
def shared_privileges(project):
    """Some modules belong to one room: GRDB to Store, CCurl to HTTPClient, CHiredis to Redis, CZlib to WebSocket."""
    for file, line, target, module in _edges(project):
        for pattern, importers in SOLE_IMPORTERS.items():
            if fnmatch(module, pattern) and not any(fnmatch(target.name, importer) for importer in importers):
                owners = ", ".join(sorted(importers))
                yield file, line, f"{target.name} must not import {module}: that belongs to {owners}"


@rule("forbidden-import")
def forbidden_imports(project):
    """Domain and Engine do no I/O, Redis and WebSocket know no job, no front calls a model."""
    for file, line, target, module in _edges(project):
        if any(fnmatch(module, pattern) for pattern in FORBIDDEN.get(target.name, [])):
            yield file, line, f"{target.name} must not import {module}"


@rule("sql-outside-store")
def sql_outside_store(project):
    """SQL is written only in Store, and where ceilings are measured."""
    for source, string in _strings(project, outside={"Store", "penguin-bench"}):
        if found := _SQL.search(string.text):
            line = string.line + string.text.count("\n", 0, found.start())
            yield source.path, line, f"SQL belongs to Store: {' '.join(found.group().split())[:60]!r}"


@rule("redis-outside")
def redis_outside(project):
    """Redis keys are named only in Queue and Events, Redis commands there, in Redis, and where ceilings are measured."""
    for source, string in _strings(project, outside={"Queue", "Events", "penguin-bench"}):
        if _REDIS_KEY.match(string.text):
            yield source.path, string.line, f"Redis keys belong to Queue and Events: {string.text[:60]!r}"
        elif _REDIS_COMMAND.match(string.text) and project.owner(source.path).name != "Redis":
            yield source.path, string.line, f"Redis commands belong to Redis, Queue and Events: {string.text[:60]!r}"


def _layer(target):
    """The number of the target's layer: commands lie above every room, tests above those; None when nobody gave it one."""
    if target.folder.startswith("Sources/Commands/"):
        return len(LAYERS)
    if target.name.endswith("Tests"):
        return len(LAYERS) + 1
    return _LAYER_OF.get(target.name)


def _imports(project):
    for source in project.sources:
        target = project.owner(source.path)
        for module, line in source.imports() if target else []:
            # A program's module has its name with underscores.
            program = module.replace("_", "-")
            yield source, target, program if program in target.imports else module, line


def _edges(project):
    """Every import, as declared in Package.swift and as written in the files: (file, line, target, module)."""
    for target in project.targets.values():
        for module in target.imports:
            yield "Package.swift", target.line, target, module
    for source, target, module, line in _imports(project):
        yield source.path, line, target, module


def _strings(project, outside):
    for source in project.sources:
        target = project.owner(source.path)
        if target is None or target.name in outside or not source.path.startswith("Sources/"):
            continue
        for string in source.strings:
            yield source, string
