"""A stand-in for a vendor that takes its time."""

import time
from collections.abc import Iterator

from vendor import Reply, Seen
from vendors import OpenAI


class PatientOpenAI(OpenAI):
    """Answers as slowly as a vendor does: a plain answer takes 0.6 s, a stream 2.4 s, or less by
    the factor `haste`. `accepted` are keys that it takes beside its first one."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.accepted: set[str] = set()
        self.haste = 1.0

    def key_in(self, seen: Seen) -> str | None:
        key = super().key_in(seen)
        return self.key if key in self.accepted else key

    def keys_seen(self) -> list[str | None]:
        return [super(PatientOpenAI, self).key_in(seen) for seen in self.seen]

    def answer(self, seen: Seen) -> Reply:
        reply = super().answer(seen)
        if not self.wants_stream(seen):
            time.sleep(0.6 / self.haste)
            return reply

        def slowly() -> Iterator[bytes]:
            for chunk in reply.chunks:
                yield chunk
                time.sleep(0.4 / self.haste)

        return Reply(reply.status, reply.content_type, slowly())
