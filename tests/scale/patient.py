"""The stand-in for OpenAI, as slow as a vendor is."""

import time
from collections.abc import Iterator

from vendor import Reply, Seen
from vendors import OpenAI


class PatientOpenAI(OpenAI):
    """A plain answer takes 0.6 s, and a stream of six pieces `stream_seconds`. `accepted` are keys
    that it takes beside its first one."""

    def __init__(self, key: str, stream_seconds: float = 2.4) -> None:
        super().__init__(key)
        self.accepted: set[str] = set()
        self.plain_seconds = 0.6
        self.piece_seconds = stream_seconds / 6

    def key_in(self, seen: Seen) -> str | None:
        key = super().key_in(seen)
        return self.key if key in self.accepted else key

    def keys_seen(self) -> list[str | None]:
        return [super(PatientOpenAI, self).key_in(seen) for seen in self.seen]

    def answer(self, seen: Seen) -> Reply:
        reply = super().answer(seen)
        if not self.wants_stream(seen):
            time.sleep(self.plain_seconds)
            return reply

        def slowly() -> Iterator[bytes]:
            for chunk in reply.chunks:
                yield chunk
                time.sleep(self.piece_seconds)

        return Reply(reply.status, reply.content_type, slowly())
