"""The agent over HTTP: OpenAI's API in front, KAOS's card, probes and memory beside it."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from waybill_agent.agent.agent import Agent, Caller
from waybill_agent.agent.chain import HEADER, Chain
from waybill_agent.agent.chat import SESSION_ID, ChatRequest, parse
from waybill_agent.agent.completion import Envelope, Stream
from waybill_agent.agent.conversation import Answer
from waybill_agent.agent.model import Say
from waybill_agent.failure import Failure
from waybill_agent.log import fields, log
from waybill_agent.settings import AgentSettings

MAX_EVENTS = 1000
TRACE = ("traceparent", "tracestate")


class AgentApp:
    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._agent = Agent(settings)
        self._ready = False
        self.asgi = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/ready", self._readiness),
                Route("/.well-known/agent", self._card),
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/memory/events", self._events),
                Route("/memory/sessions", self._sessions),
            ],
            lifespan=self._lifespan,
            exception_handlers={Failure: failed, HTTPException: refused, Exception: broken, ClientDisconnect: gone},
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with self._agent:
            yield

    def start(self) -> None:
        self._ready = True
        settings = self._settings
        known = fields(
            agent=settings.agent_name,
            port=settings.agent_port,
            model=settings.model_name,
            mcp_servers=list(settings.mcp_servers),
            peers=list(settings.peer_agents),
        )
        log.info("ready", **known)

    def stop(self) -> None:
        self._ready = False

    async def _health(self, _: Request) -> Response:
        return JSONResponse(self._state("healthy"))

    async def _readiness(self, _: Request) -> Response:
        return JSONResponse(self._state("ready")) if self._ready else JSONResponse(self._state("stopping"), 503)

    def _state(self, status: str) -> dict[str, Any]:
        return {"status": status, "name": self._agent.name, "timestamp": int(time.time())}

    async def _card(self, request: Request) -> Response:
        return JSONResponse(await self._agent.card(str(request.base_url).rstrip("/")))

    async def _models(self, _: Request) -> Response:
        model = {"id": self._agent.name, "object": "model", "created": 0, "owned_by": "waybill"}
        return JSONResponse({"object": "list", "data": [model]})

    async def _sessions(self, _: Request) -> Response:
        sessions = self._agent.memory.sessions()
        return JSONResponse({"agent": self._agent.name, "sessions": sessions, "total": len(sessions)})

    async def _events(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "100")
        if not limit.isdigit():
            raise Failure(400, "invalid_request", "limit is not a number", param="limit")
        session = request.query_params.get("session_id") or None
        events = self._agent.memory.events(session, min(int(limit), MAX_EVENTS))
        return JSONResponse({"agent": self._agent.name, "events": events, "total": len(events)})

    async def _chat(self, request: Request) -> Response:
        chat = parse(await body_of(request, self._settings.agent_max_body_bytes))
        caller = self._caller(request, chat)
        envelope = Envelope(chat.model or self._agent.name)
        headers = {"X-Session-ID": caller.session}

        async def run(say: Say | None) -> Answer:
            return await self._logged(chat, caller, say)

        if not chat.stream:
            answer = await while_connected(request, run(None))
            return JSONResponse(envelope.whole(answer), headers=headers)
        include_usage = chat.stream_options is not None and chat.stream_options.include_usage
        stream = Stream(envelope, run, include_usage)
        try:
            await while_connected(request, stream.begin())
        except BaseException:
            stream.stop()
            raise
        return EventResponse(stream, headers)

    def _caller(self, request: Request, chat: ChatRequest) -> Caller:
        session = chat.session_id or session_id(request.headers.get("x-session-id"))
        chain = Chain.of(request.headers.get(HEADER), self._settings.max_delegation_depth)
        trace = {name: value for name in TRACE if (value := request.headers.get(name))}
        return Caller(session, chain, trace)

    async def _logged(self, chat: ChatRequest, caller: Caller, say: Say | None) -> Answer:
        started = time.monotonic()
        outcome: dict[str, Any] = {"code": "cancelled"}
        try:
            answer = await self._agent.answer(chat, caller, say)
            outcome = {"code": "ok", "steps": answer.steps, "tokens": answer.usage.total_tokens}
        except Failure as failure:
            outcome = {"code": failure.code, "error": failure.message}
            raise
        finally:
            seconds = round(time.monotonic() - started, 3)
            log.info("conversation", **fields(session=caller.session, stream=chat.stream, seconds=seconds, **outcome))
        return answer


class EventResponse(StreamingResponse):
    """However it ends, the stream's making ends with it."""

    def __init__(self, stream: Stream, headers: dict[str, str]) -> None:
        # X-Accel-Buffering: nginx and its ingress pass each event on at once.
        headers |= {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(stream.events(), media_type="text/event-stream", headers=headers)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.stop()


def session_id(header: str | None) -> str:
    """:raises Failure: 400, for an id that could not be a header of the answer"""
    if not header:
        return f"session_{uuid.uuid4().hex[:12]}"
    if not re.fullmatch(SESSION_ID, header):
        raise Failure(400, "invalid_request", f"X-Session-ID does not match {SESSION_ID}", param="X-Session-ID")
    return header


async def body_of(request: Request, limit: int) -> bytes:
    """:raises Failure: 413, as soon as it is known that the body is too large"""
    declared = request.headers.get("content-length", "")
    body = bytearray()
    if declared.isdigit() and int(declared) > limit:
        raise Failure(413, "request_too_large", f"the body has more than {limit} bytes")
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Failure(413, "request_too_large", f"the body has more than {limit} bytes")
    return bytes(body)


async def while_connected[T](request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Does the work, and gives it up when the caller has gone. :raises ClientDisconnect:"""
    task = asyncio.ensure_future(work)
    disconnected = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({task, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        disconnected.cancel()
        await asyncio.gather(task, disconnected, return_exceptions=True)


async def failed(_: Request, failure: Exception) -> Response:
    assert isinstance(failure, Failure)  # noqa: S101
    headers = {"Retry-After": failure.retry_after} if failure.retry_after else {}
    return JSONResponse(failure.body(), failure.status, headers)


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    message = f"{request.method} {request.url.path}: {error.detail}"
    return JSONResponse(Failure(error.status_code, code, message).body(), error.status_code, error.headers)


async def broken(_: Request, _error: Exception) -> Response:
    return JSONResponse(Failure(500, "internal_error", "the agent failed; its log says why").body(), 500)


async def gone(_: Request, _error: Exception) -> Response:
    """nginx's status for a caller that hung up; nobody reads it."""
    return Response(status_code=499)
