"""A file before and after: what a command would write, and how it shows that."""

import io
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One file that would be created (`old` is None), updated, or removed (`new` is None)."""

    path: str
    old: bytes | None
    new: bytes | None

    @property
    def verb(self) -> str:
        if self.old is None:
            return "create"
        return "remove" if self.new is None else "update"

    def diff(self, folder: str = "") -> str:
        """The change as a unified diff, as `git diff` shows it; `folder` is put before the path."""
        from difflib import unified_diff

        name = f"{folder}{self.path}".lstrip("/")
        before = "/dev/null" if self.old is None else f"a/{name}"
        after = "/dev/null" if self.new is None else f"b/{name}"
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in unified_diff(_lines(self.old), _lines(self.new), before, after)
        )


def _lines(content: bytes | None) -> list[str]:
    # At \n only, as other tools do; str.splitlines knows more line ends.
    return list(io.StringIO((content or b"").decode("utf-8", "replace"), newline="\n"))
