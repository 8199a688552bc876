"""One Swift file, taken apart into code, comments and string literals, so that a rule reads only what it means."""

import re
from bisect import bisect_right
from dataclasses import dataclass

# What ends a stretch of plain code. A slash is a regular expression only where no division can stand.
_INTERESTING = re.compile(
    r"""//[^\n]*
      | /\*
      | (?P<quote>\#*(?:\"\"\"|\"))
      | `[^`\n]*`
      | (?P<extended>\#+)/
      | (?<=[=(,:\[{!&|?;])[ ]*(?P<slash>/)(?=[^\s/*][^\n]*/)
      | [()]""",
    re.VERBOSE,
)
_IMPORT = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)\n]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Piece:
    """A comment or a string literal: the line where it begins, and its text without the marks around it."""

    line: int
    text: str
    is_doc: bool = False


class SwiftSource:
    """`code` has the file's length and lines, with comments and the text of literals replaced by spaces.

    In `without_comments` only the comments are.
    """

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.comments = []
        self.strings = []
        self._line_starts = [0] + [m.end() for m in re.finditer("\n", text)]
        self._comment_spans = []
        self._literal_spans = []
        self._scan_code(0, in_interpolation=False)
        self.without_comments = self._blanked(self._comment_spans)
        self.code = self._blanked(self._comment_spans + self._literal_spans)
        self.code_lines = self.code.split("\n")
        self.comment_lines = self._comment_lines()

    def line_of(self, offset):
        return bisect_right(self._line_starts, offset)

    def imports(self):
        """Every imported module with its line."""
        return [(m.group(1), self.line_of(m.start(1))) for m in _IMPORT.finditer(self.code)]

    def code_matches(self, pattern):
        return [(self.line_of(m.start()), m) for m in pattern.finditer(self.code)]

    def _scan_code(self, at, in_interpolation):
        depth = 0
        while match := _INTERESTING.search(self.text, at):
            found, at = match.group().lstrip(" "), match.end()
            if found == "(":
                depth += 1
            elif found == ")":
                if in_interpolation and depth == 0:
                    return at
                depth -= 1
            elif found.startswith("//"):
                self._add_comment(match.start(), at, found)
            elif found == "/*":
                at = self._scan_block_comment(match.start())
            elif found.startswith("`"):
                self._literal_spans.append((match.start() + 1, at - 1))
            elif match.group("quote"):
                at = self._scan_string(at, match.group("quote"))
            else:
                at = self._scan_regex(at, match.group("extended") or "")
        return len(self.text)

    def _add_comment(self, start, end, text):
        is_doc = text.startswith(("///", "/**"))
        self.comments.append(Piece(self.line_of(start), text.lstrip("/*").strip(" \t"), is_doc))
        self._comment_spans.append((start, end))

    def _scan_block_comment(self, start):
        depth = 0
        for match in re.compile(r"/\*|\*/").finditer(self.text, start):
            depth += 1 if match.group() == "/*" else -1
            if depth == 0:
                self._add_comment(start, match.end(), self.text[start : match.end() - 2])
                return match.end()
        return len(self.text)

    def _scan_string(self, start, quote):
        hashes = quote.rstrip('"')
        closing = quote.lstrip("#") + hashes
        stop = re.compile(rf"{re.escape(closing)}|(\\{hashes}\()|\\{hashes}.")
        text, piece, at = "", start, start
        while match := stop.search(self.text, at):
            at = match.end()
            if match.group(1):
                text += self.text[piece : match.start()] + "\\()"
                self._literal_spans.append((piece, match.start()))
                at = piece = self._scan_code(at, in_interpolation=True)
            elif match.group() == closing:
                break
        end = match.start() if match else len(self.text)
        self._literal_spans.append((piece, end))
        self.strings.append(Piece(self.line_of(start), text + self.text[piece:end]))
        return at if match else end

    def _scan_regex(self, start, hashes):
        end = re.compile(r"/" + hashes if hashes else r"(?<!\\)/|\n").search(self.text, start)
        if end is None:
            return len(self.text)
        self._literal_spans.append((start, end.start()))
        return end.end()

    def _blanked(self, spans):
        pieces, at = [], 0
        for start, end in sorted(spans):
            pieces += [self.text[at:start], re.sub(r"[^\n]", " ", self.text[start:end])]
            at = end
        return "".join(pieces) + self.text[at:]

    def _comment_lines(self):
        """The comments by every line that they touch."""
        lines = {}
        for comment in self.comments:
            for number in range(comment.line, comment.line + comment.text.count("\n") + 1):
                lines.setdefault(number, comment)
        return lines
