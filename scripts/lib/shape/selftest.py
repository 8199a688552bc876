"""Proves with the trees in scripts/shape-fixtures that every rule finds what it must, and nothing else."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from .project import Project
from .rules import RULES
from .sizes import outliers


def run(fixtures):
    """Checks all fixtures, prints one line for each that went wrong, and returns whether none did.

    `good` is a whole small project. `bad/<rule>` holds files to lay over it, and in `expected` a line `file:line rule`
    for each place that must be named. `large` is laid over it too; its `expected` lists the outliers.
    """
    wrong = _differences("good", _places(fixtures, None, _violations), [])
    for name in RULES:
        tree = fixtures / "bad" / name
        wanted = _expected(tree)
        wrong += _differences(name, _places(fixtures, tree, _violations), wanted)
        wrong += [] if any(place.endswith(f" {name}") for place in wanted) else [f"{name}: has no bad example"]
    large = fixtures / "large"
    wrong += _differences("large", _places(fixtures, large, _outliers), _expected(large))
    print("\n".join(wrong) if wrong else f"shape: each of {len(RULES)} rules finds what it must")
    return not wrong


def _places(fixtures, overlay, find):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(fixtures / "good", folder, dirs_exist_ok=True)
        if overlay and overlay.is_dir():
            shutil.copytree(overlay, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected"))
        return find(Project(Path(folder)))


def _violations(project):
    return [f"{v.file}:{v.line} {v.rule}" for rule in RULES.values() for v in rule.violations(project)]


def _outliers(project):
    return [str(outlier) for outlier in outliers(project)]


def _expected(tree):
    file = tree / "expected"
    return file.read_text().splitlines() if file.exists() else []


def _differences(name, found, wanted):
    found, wanted = Counter(found), Counter(wanted)
    missed = [f"{name}: not found: {place}" for place in (wanted - found).elements()]
    return missed + [f"{name}: found, but should not be: {place}" for place in (found - wanted).elements()]
