"""The model's client against a real server, for what the tests of the image don't reach: how servers differ."""

import asyncio
import json
from collections.abc import Mapping

import pytest

from tests.conftest import Scripted, settings
from waybill_agent.agent.model import Model, pause_before
from waybill_agent.agent.model_answer import Reply
from waybill_agent.failure import Failure

STREAM = {"content-type": "text/event-stream"}


def ask(scripted: Scripted, *, stream: bool = False) -> tuple[Reply, list[str]]:
    texts: list[str] = []

    async def say(text: str) -> None:
        texts.append(text)

    async def go() -> Reply:
        model = Model(settings(MODEL_API_URL=scripted.url, MODEL_API_KEY="sk-1"))
        try:
            return await model.ask([{"role": "user", "content": "hi"}], [], {}, say if stream else None, {})
        finally:
            await model.close()

    return asyncio.run(go()), texts


def completion(message: dict[str, object], **more: object) -> str:
    return json.dumps({"choices": [{"message": message, **more}]})


def pieces(*choices: Mapping[str, object]) -> str:
    return "".join(f"data: {json.dumps({'choices': [choice]})}\n\n" for choice in choices)


def test_arguments_may_come_as_an_object_and_calls_without_ids(scripted: Scripted) -> None:
    calls = [{"function": {"name": "add", "arguments": {"a": 1}}}, {"function": {"name": "now", "arguments": None}}]
    scripted.turns = [(200, {}, completion({"content": None, "tool_calls": calls}))]
    reply, _ = ask(scripted)
    assert [call.wire() for call in reply.tool_calls] == [
        {"id": "call_0", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
        {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]


def test_calls_in_a_stream_may_come_whole_and_without_numbers(scripted: Scripted) -> None:
    calls = [{"delta": {"tool_calls": [{"id": name, "function": {"name": name, "arguments": "{}"}}]}} for name in "ab"]
    scripted.turns = [(200, STREAM, pieces(*calls, {"finish_reason": "tool_calls"}))]
    reply, _ = ask(scripted, stream=True)
    assert [(call.id, call.function.name) for call in reply.tool_calls] == [("a", "a"), ("b", "b")]


def test_calls_in_a_stream_may_be_interleaved(scripted: Scripted) -> None:
    def part(index: int, arguments: str) -> dict[str, object]:
        return {"delta": {"tool_calls": [{"index": index, "function": {"name": f"f{index}", "arguments": arguments}}]}}

    parts = [part(0, '{"a"'), part(1, "{"), part(0, ": 1}"), part(1, "}")]
    scripted.turns = [(200, STREAM, pieces(*parts, {"finish_reason": "tool_calls"}))]
    reply, _ = ask(scripted, stream=True)
    assert [(call.function.name, call.function.arguments) for call in reply.tool_calls] == [
        ("f0", '{"a": 1}'),
        ("f1", "{}"),
    ]


def test_a_stream_may_end_without_done_but_not_without_a_reason(scripted: Scripted) -> None:
    said = {"delta": {"content": "hi"}}
    scripted.turns = [(200, STREAM, pieces(said, {"finish_reason": "stop"}))]
    assert ask(scripted, stream=True)[1] == ["hi"]
    scripted.turns = [(200, STREAM, pieces(said))]
    with pytest.raises(Failure, match="broke off"):
        ask(scripted, stream=True)


def test_comments_and_broken_lines_of_a_stream_are_borne_or_told(scripted: Scripted) -> None:
    scripted.turns = [
        (200, STREAM, ": ping\n\nevent: x\n\n" + pieces({"delta": {"content": "hi"}, "finish_reason": "stop"}))
    ]
    assert ask(scripted, stream=True)[0].text == "hi"
    scripted.turns = [(200, STREAM, "data: {nonsense\n\n")]
    with pytest.raises(Failure) as raised:
        ask(scripted, stream=True)
    assert raised.value.code == "model_invalid_answer"


def test_a_key_that_the_model_repeats_is_cut_out_of_its_error(scripted: Scripted) -> None:
    scripted.turns = [(400, {}, "x" * 498 + "sk-1")]
    with pytest.raises(Failure) as raised:
        ask(scripted)
    assert "sk" not in raised.value.message


def test_an_answer_without_end_is_not_read_into_memory(scripted: Scripted) -> None:
    scripted.turns = [(200, {}, "x" * (17 * 1024 * 1024))]
    with pytest.raises(Failure) as raised:
        ask(scripted)
    assert raised.value.code == "answer_too_large"


def test_the_pause_grows_and_heeds_the_server_within_reason() -> None:
    assert 0.25 <= pause_before(1, None) <= 0.5
    assert 0.5 <= pause_before(2, None) <= 1
    assert pause_before(1, "3") == 3
    assert pause_before(1, "86400") == 10
    assert pause_before(1, "Wed, 21 Oct 2026 07:28:00 GMT") <= 0.5
