"""What callers are answered: OpenAI's chat completion, whole or as server-sent events."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from waybill_agent.agent.conversation import Answer
from waybill_agent.agent.model import Say
from waybill_agent.failure import Failure
from waybill_agent.log import log

SILENCE_SECONDS = 15.0
"""After so long a comment is sent, for proxies that cut what is silent (while tools run, say)."""

QUEUED_TEXTS = 64
"""A caller that reads slowly slows the model down, and not us into the memory."""


class Envelope:
    """What all parts of one answer have in common."""

    def __init__(self, model: str) -> None:
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._model = model

    def whole(self, answer: Answer) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text}
        choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
        return self._of("chat.completion", [choice]) | {"usage": answer.usage.model_dump()}

    def piece(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        return self._of("chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": finish_reason}])

    def usage(self, answer: Answer) -> dict[str, Any]:
        return self._of("chat.completion.chunk", []) | {"usage": answer.usage.model_dump()}

    def _of(self, kind: str, choices: list[Any]) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model, "choices": choices}


class Stream:
    """An answer in the making, as events. Whoever stops reading ends the making too."""

    def __init__(self, envelope: Envelope, run: Callable[[Say], Awaitable[Answer]], include_usage: bool) -> None:
        self._envelope = envelope
        self._include_usage = include_usage
        self._texts: asyncio.Queue[str | None] = asyncio.Queue(QUEUED_TEXTS)
        self._task = asyncio.create_task(self._make(run))
        self._first: str | None = None
        self._stopped = False

    async def _make(self, run: Callable[[Say], Awaitable[Answer]]) -> Answer:
        try:
            return await run(self._texts.put)
        finally:
            # Whoever stopped it doesn't read any more, and the queue may be full.
            if not self._stopped:
                await self._texts.put(None)

    async def begin(self) -> None:
        """Waits a while for the first text: what fails at once is answered with its own status. :raises Failure:"""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                self._first = await self._texts.get()
        except TimeoutError:
            self._first = ""
            return
        if self._first is None:
            await self._task

    async def events(self) -> AsyncIterator[bytes]:
        yield event(self._envelope.piece({"role": "assistant", "content": ""}))
        text = self._first
        while text is not None:
            yield event(self._envelope.piece({"content": text})) if text else b": working\n\n"
            text = await self._next()
        yield await self._end()
        yield b"data: [DONE]\n\n"

    async def _next(self) -> str | None:
        """The next text; "" after a silence, None at the end."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                return await self._texts.get()
        except TimeoutError:
            return ""

    async def _end(self) -> bytes:
        try:
            answer = await self._task
        except Failure as failure:
            return event(failure.body())
        except Exception:
            log.exception("a stream failed")
            return event(Failure(500, "internal_error", "the agent failed; its log says why").body())
        end = event(self._envelope.piece({}, answer.finish_reason))
        return end + event(self._envelope.usage(answer)) if self._include_usage else end

    def stop(self) -> None:
        self._stopped = True
        self._task.cancel()
        # An exception that nobody waits for any more would be logged as forgotten.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())


def event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
