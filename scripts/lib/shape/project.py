"""A checkout as the rules see it: its text files, its Swift sources and the targets that own them."""

import os
import subprocess
from pathlib import Path

from .manifest import read_targets
from .source import SwiftSource

_BYTES_MAX = 1_000_000
_FIXTURES = "scripts/shape-fixtures/"


class Project:
    def __init__(self, root):
        self.root = Path(root)
        self.texts = dict(self._read_texts())
        self.targets = read_targets(self.texts.get("Package.swift", ""))
        self.sources = [
            SwiftSource(path, text)
            for path, text in self.texts.items()
            if path.endswith(".swift") and path.startswith(("Sources/", "Tests/"))
        ]

    def owner(self, path):
        """The target in whose folder the file is, or None."""
        owners = [target for target in self.targets.values() if path.startswith(target.folder + "/")]
        return max(owners, key=lambda target: len(target.folder), default=None)

    def _read_texts(self):
        for path in sorted(self._paths()):
            file = self.root / path
            if path.startswith(_FIXTURES) or not file.is_file() or file.stat().st_size > _BYTES_MAX:
                continue
            content = file.read_bytes()
            if b"\0" not in content:
                yield path, content.decode("utf-8", errors="replace")

    def _paths(self):
        """What git knows or would add; without git everything outside of hidden folders such as .build."""
        if (self.root / ".git").exists():
            # A checkout may belong to another user than the one who runs this, as in a container.
            git = ["git", "-c", "safe.directory=*", "-C", str(self.root)]
            listing = [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            return set(subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\0")) - {""}
        paths = set()
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name == ".ci" or not name.startswith(".")]
            paths |= {os.path.relpath(os.path.join(folder, name), self.root) for name in names}
        return paths
