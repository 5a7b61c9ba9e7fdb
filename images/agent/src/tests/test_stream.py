"""What of a stream depends on time, or on a caller who does not read; the rest is tested on the image."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from waybill_agent.agent import completion
from waybill_agent.agent.completion import Envelope, Stream
from waybill_agent.agent.conversation import Answer
from waybill_agent.agent.model import Say
from waybill_agent.agent.model_answer import Usage
from waybill_agent.failure import Failure

Run = Callable[[Say], Awaitable[Answer]]
DONE = Answer("done", "stop", Usage(), 1)


def events_of(run: Run) -> list[str]:
    async def go() -> list[str]:
        stream = Stream(Envelope("tested"), run, include_usage=False)
        await stream.begin()
        return [event.decode() async for event in stream.events()]

    return asyncio.run(go())


def test_silence_is_broken_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "SILENCE_SECONDS", 0.02)

    async def run(say: Say) -> Answer:
        await asyncio.sleep(0.2)
        await say("hello")
        return DONE

    events = events_of(run)
    assert events.count(": working\n\n") >= 2
    assert '"content": "hello"' in events[-3]
    assert events[-1] == "data: [DONE]\n\n"


def test_a_failure_after_the_first_words_is_an_event() -> None:
    async def run(say: Say) -> Answer:
        await say("hello")
        raise Failure(502, "model_disconnected", "gone")

    assert '"code": "model_disconnected"' in events_of(run)[-2]


def test_a_bug_after_the_first_words_does_not_tell_its_insides(caplog: pytest.LogCaptureFixture) -> None:
    async def run(say: Say) -> Answer:
        await say("hello")
        raise KeyError("inside")

    assert '"code": "internal_error"' in events_of(run)[-2]
    assert "inside" not in "".join(events_of(run))
    assert "inside" in caplog.text


def test_whoever_does_not_read_slows_the_making_down_and_can_be_left() -> None:
    said = 0

    async def run(say: Say) -> Answer:
        nonlocal said
        while True:
            await say("more")
            said += 1

    async def go() -> None:
        stream = Stream(Envelope("tested"), run, include_usage=False)
        await stream.begin()
        for _ in range(1000):
            await asyncio.sleep(0)
        stream.stop()
        async with asyncio.timeout(10):
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    asyncio.run(go())
    assert said <= completion.QUEUED_TEXTS + 2
