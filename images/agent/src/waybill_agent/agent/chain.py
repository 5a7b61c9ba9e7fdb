"""Which agents a task has come through. Without it two peers could hand a task to each other for ever."""

from dataclasses import dataclass

from waybill_agent.failure import Failure

HEADER = "x-agent-chain"
"""Names between commas, the first asked first."""


@dataclass(frozen=True)
class Chain:
    names: tuple[str, ...]
    limit: int

    @classmethod
    def of(cls, header: str | None, limit: int) -> "Chain":
        """:raises Failure: 400, when the task has come through more agents than it may"""
        names = tuple(filter(None, map(str.strip, (header or "").split(","))))
        if len(names) > limit:
            message = f"the task came through {len(names)} agents ({', '.join(names[:limit])}, …), more than {limit}"
            raise Failure(400, "delegation_too_deep", message)
        return cls(names, limit)

    def header_of(self, agent: str) -> dict[str, str]:
        return {HEADER: ", ".join((*self.names, agent))}

    def refusal(self, agent: str, peer: str) -> str | None:
        """Why this agent may not hand the task to that peer."""
        if peer in (*self.names, agent):
            return f"{peer} has handed this task on already; do it yourself, or say why it can't be done"
        if len(self.names) >= self.limit:
            return f"the task has been handed on {self.limit} times, which is the limit; do it yourself"
        return None
