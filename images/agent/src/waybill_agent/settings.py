"""The environment, checked once at the start. Names and defaults are KAOS's where KAOS has them."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from waybill_agent.failure import SettingsError


def base_url(text: str) -> str:
    """http or https, with a host; without the slash at the end."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as http://host:8000")
    return text.rstrip("/")


Url = Annotated[str, AfterValidator(base_url)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)]


class Settings(BaseModel):
    """A field is the variable of the same name in capitals; an empty variable is one that isn't set."""

    model_config = ConfigDict(frozen=True)

    shutdown_seconds: Seconds = 25
    """How long requests in flight may take after SIGTERM; below Kubernetes' 30."""


class AgentSettings(Settings):
    agent_name: Annotated[str, Field(pattern=r"^[^,\s]+$")]
    agent_description: str = "AI Agent"
    agent_instructions: str = "You are a helpful assistant."
    agent_host: str = "0.0.0.0"
    agent_port: Port = 8000
    agent_log_level: Level = "INFO"
    agent_access_log: bool = False
    agent_max_body_bytes: Annotated[int, Field(gt=0)] = 4 * 1024 * 1024

    model_api_url: Url
    model_name: str
    model_api_key: SecretStr | None = None
    model_timeout_seconds: Seconds = 120
    """Between two bytes of the model's answer."""

    agentic_loop_max_steps: Annotated[int, Field(ge=1, le=100)] = 5
    tool_timeout_seconds: Seconds = 60
    peer_timeout_seconds: Seconds = 300
    max_delegation_depth: Annotated[int, Field(ge=0, le=32)] = 5

    memory_enabled: bool = True
    memory_type: Literal["local"] = "local"
    memory_context_limit: Annotated[int, Field(ge=0)] = 6
    memory_max_sessions: Annotated[int, Field(ge=1)] = 1000
    memory_max_session_events: Annotated[int, Field(ge=1)] = 500
    memory_max_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024 * 1024

    mcp_servers: dict[str, Url] = {}
    """By name, from MCP_SERVERS and MCP_SERVER_<name>_URL."""
    peer_agents: dict[str, Url] = {}
    """By name, from PEER_AGENTS and PEER_AGENT_<NAME>_CARD_URL."""


class McpServerSettings(Settings):
    mcp_server_name: str = "waybill-mcp-server"
    mcp_host: str = "0.0.0.0"
    mcp_port: Port = 8000
    mcp_log_level: Level = "INFO"
    mcp_access_log: bool = False
    mcp_transport: Literal["http", "stdio"] = "http"
    mcp_tools_string: str = ""
    mcp_tools_file: str = ""


def agent_settings(environment: Mapping[str, str] = os.environ) -> AgentSettings:
    """:raises SettingsError: with a line for each variable that is missing or wrong"""
    values = present(environment, AgentSettings) | {"agent_log_level": level(environment, "AGENT_LOG_LEVEL")}
    problems: list[str] = []
    values["mcp_servers"] = addresses(environment, "MCP_SERVERS", "MCP_SERVER_{}_URL", problems)
    values["peer_agents"] = addresses(environment, "PEER_AGENTS", "PEER_AGENT_{}_CARD_URL", problems)
    return parse(AgentSettings, values, problems)


def mcp_server_settings(environment: Mapping[str, str] = os.environ) -> McpServerSettings:
    """:raises SettingsError: as above"""
    values = present(environment, McpServerSettings) | {"mcp_log_level": level(environment, "MCP_LOG_LEVEL")}
    return parse(McpServerSettings, values, [])


def present(environment: Mapping[str, str], model: type[Settings]) -> dict[str, Any]:
    return {name: value for name in model.model_fields if (value := environment.get(name.upper(), ""))}


def level(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get("LOG_LEVEL") or "INFO"


def addresses(environment: Mapping[str, str], names: str, pattern: str, problems: list[str]) -> dict[str, str]:
    """
    KAOS names things in one variable and gives each one's URL in another.

    The names stand between commas, with or without brackets around them all; the other variable has the name as it is,
    or in capitals with ``_`` for ``-``.
    """
    found: dict[str, str] = {}
    for name in filter(None, map(str.strip, environment.get(names, "").strip().strip("[]").split(","))):
        variables = [pattern.format(name), pattern.format(name.upper().replace("-", "_"))]
        url = next((environment[variable] for variable in variables if environment.get(variable)), None)
        if url is None:
            problems.append(f"{variables[1]} is missing: {names} names {name}")
        else:
            found[name] = url
    return found


def parse[S: Settings](model: type[S], values: dict[str, Any], problems: list[str]) -> S:
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        lines = [explain(problem) for problem in error.errors(include_url=False, include_input=False)]
        raise SettingsError(lines + problems) from None
    if problems:
        raise SettingsError(problems)
    return settings


def explain(problem: Any) -> str:
    """Without the value, which may be a secret."""
    name = str(problem["loc"][0]).upper()
    of = "".join(f" ({part})" for part in problem["loc"][1:])
    if problem["type"] == "missing":
        return f"{name} is missing"
    return f"{name}{of} is wrong: {problem['msg'].removeprefix('Value error, ')}"
