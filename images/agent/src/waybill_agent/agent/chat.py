"""What callers ask: OpenAI's chat completion request, as far as an agent can honour it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from waybill_agent.failure import Failure

DELEGATED = "task-delegation"
"""KAOS's role for a task that comes from another agent."""

SESSION_ID = r"^[A-Za-z0-9._:@/+=-]{1,128}$"

PASSED_ON = (
    "frequency_penalty",
    "max_completion_tokens",
    "max_tokens",
    "presence_penalty",
    "response_format",
    "seed",
    "stop",
    "temperature",
    "top_p",
)
"""What the model gets as the caller said it."""


class Part(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: str


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "task-delegation"]
    content: str | list[Part] | None = None

    def for_model(self) -> dict[str, Any]:
        role = "user" if self.role == DELEGATED else self.role
        content = self.content if isinstance(self.content, str) else [part.model_dump() for part in self.content or []]
        return {"role": role, "content": content or ""}

    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(str(getattr(part, "text", f"[{part.type}]")) for part in self.content or [])


class StreamOptions(BaseModel):
    include_usage: bool = False


class ChatRequest(BaseModel):
    model_config = ConfigDict(extra="allow")

    messages: list[Message] = Field(min_length=1)
    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    session_id: str | None = Field(default=None, pattern=SESSION_ID)
    n: Literal[1] | None = None
    tools: list[Any] | None = Field(default=None, max_length=0)

    def options(self) -> dict[str, Any]:
        return {name: value for name in PASSED_ON if (value := (self.model_extra or {}).get(name)) is not None}

    def conversation(self) -> list[Message]:
        return [message for message in self.messages if message.role not in ("system", "developer")]

    def system(self) -> str:
        texts = [message.text() for message in self.messages if message.role in ("system", "developer")]
        return "\n\n".join(filter(None, texts))


def parse(body: bytes) -> ChatRequest:
    """:raises Failure: 400, with the member at fault"""
    try:
        request = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        param = ".".join(map(str, problem["loc"])) or None
        if param == "tools":
            message = "tools are the agent's own; callers bring none"
            raise Failure(400, "unsupported_parameter", message, param=param) from None
        message = f"{param}: {problem['msg']}" if param else f"the body is not such a request: {problem['msg']}"
        raise Failure(400, "invalid_request", message, param=param) from None
    if not any(message.role in ("user", DELEGATED) for message in request.messages):
        raise Failure(400, "invalid_request", f"messages: none has the role user or {DELEGATED}", param="messages")
    return request
