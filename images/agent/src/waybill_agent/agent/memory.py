"""What the agent remembers of its sessions: in this process only, so many sessions, events of each and bytes of all."""

import json
import uuid
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from waybill_agent.settings import AgentSettings

MAX_EVENT_CHARACTERS = 16 * 1024
OVERHEAD_BYTES = 400
"""Of one event: its id, its time and Python's objects around them."""


@dataclass
class Event:
    event_type: str
    content: Any
    event_id: str = field(default_factory=lambda: f"event_{uuid.uuid4().hex[:8]}")
    timestamp: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    metadata: dict[str, Any] = field(default_factory=dict)
    size: int = 0

    def wire(self) -> dict[str, Any]:
        return {
            "event_id": self.event_id,
            "timestamp": self.timestamp,
            "event_type": self.event_type,
            "content": self.content,
            "metadata": self.metadata,
        }


class Memory:
    """Sessions by id, the one that was used last at the end. What is over a bound goes, oldest first."""

    def __init__(self, settings: AgentSettings) -> None:
        self._enabled = settings.memory_enabled
        self._max_sessions = settings.memory_max_sessions
        self._max_events = settings.memory_max_session_events
        self._max_bytes = settings.memory_max_bytes
        self._sessions: OrderedDict[str, deque[Event]] = OrderedDict()
        self._bytes = 0

    def add(self, session: str, event_type: str, content: Any) -> None:
        if not self._enabled:
            return
        content, size = bounded(content)
        events = self._sessions.setdefault(session, deque())
        self._sessions.move_to_end(session)
        events.append(Event(event_type, content, size=size))
        self._bytes += size
        while len(events) > self._max_events:
            self._bytes -= events.popleft().size
        while len(self._sessions) > self._max_sessions or self._bytes > self._max_bytes:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = next(iter(self._sessions))
        events = self._sessions[oldest]
        if len(self._sessions) > 1:
            self._bytes -= sum(event.size for event in events)
            del self._sessions[oldest]
        else:
            self._bytes -= events.popleft().size

    def sessions(self) -> list[str]:
        return list(self._sessions)

    def events(self, session: str | None, limit: int) -> list[dict[str, Any]]:
        """The last ones, of one session or of all."""
        chosen = list(self._sessions.values()) if session is None else [self._sessions.get(session, deque())]
        return [event.wire() for events in chosen for event in events][-limit:] if limit > 0 else []


def bounded(content: Any) -> tuple[Any, int]:
    """The content, cut where it is long, and about how many bytes it takes."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)
    if len(text) <= MAX_EVENT_CHARACTERS:
        return content, len(text) + OVERHEAD_BYTES
    cut = f"{text[:MAX_EVENT_CHARACTERS]}… [{len(text) - MAX_EVENT_CHARACTERS} characters more]"
    return cut, len(cut) + OVERHEAD_BYTES
