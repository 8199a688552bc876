"""How a rule looks: a name, what it forbids, and a function that finds the places."""

from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True, order=True)
class Violation:
    file: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.file}:{self.line}: [{self.rule}] {self.message}"


@dataclass(frozen=True)
class Rule:
    name: str
    summary: str
    find: Callable

    def violations(self, project):
        return [Violation(file, line, self.name, message) for file, line, message in self.find(project)]


RULES = {}


def rule(name):
    """Makes a rule of a function from a project to its (file, line, message)s; the docstring is the summary."""

    def register(find):
        RULES[name] = Rule(name, find.__doc__, find)
        return find

    return register
