import pytest

from tests.conftest import NEEDED, settings
from waybill_agent.failure import SettingsError
from waybill_agent.settings import agent_settings, mcp_server_settings


def problems(**more: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        settings(**more)
    return raised.value.lines


def test_defaults_are_kaoss() -> None:
    defaults = settings()
    assert defaults.agent_port == 8000
    assert defaults.agentic_loop_max_steps == 5
    assert (defaults.memory_context_limit, defaults.memory_max_sessions, defaults.memory_max_session_events) == (
        6,
        1000,
        500,
    )


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        agent_settings({"AGENT_PORT": "many", "MEMORY_ENABLED": "perhaps", "PEER_AGENTS": "worker-1"})
    text = "\n".join(raised.value.lines)
    for name in ("AGENT_NAME is missing", "MODEL_API_URL is missing", "MODEL_NAME is missing", "AGENT_PORT is wrong: "):
        assert name in text
    assert "MEMORY_ENABLED is wrong: " in text
    assert "PEER_AGENT_WORKER_1_CARD_URL is missing: PEER_AGENTS names worker-1" in text


def test_a_wrong_value_is_not_repeated() -> None:
    assert "hunter2" not in str(problems(MODEL_API_URL="ftp://user:hunter2@host"))


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert settings(AGENT_PORT="", MODEL_API_KEY="").agent_port == 8000


@pytest.mark.parametrize("names", ["a,b-c", "[a, b-c]", " a ,b-c, "])
def test_servers_are_named_with_or_without_brackets(names: str) -> None:
    urls = {"MCP_SERVER_a_URL": "http://a:1/", "MCP_SERVER_B_C_URL": "http://b:2/mcp"}
    assert settings(MCP_SERVERS=names, **urls).mcp_servers == {"a": "http://a:1", "b-c": "http://b:2/mcp"}


def test_a_name_as_it_is_goes_before_its_capitals() -> None:
    urls = {"MCP_SERVER_a-b_URL": "http://own:1", "MCP_SERVER_A_B_URL": "http://capitals:1"}
    assert settings(MCP_SERVERS="a-b", **urls).mcp_servers == {"a-b": "http://own:1"}


def test_a_wrong_url_of_a_peer_is_told_by_the_peers_name() -> None:
    assert problems(PEER_AGENTS="w", PEER_AGENT_W_CARD_URL="w:8000")[0].startswith(
        "PEER_AGENTS (w) is wrong: must be a URL"
    )


@pytest.mark.parametrize(
    ("environment", "level"),
    [({}, "INFO"), ({"LOG_LEVEL": "debug"}, "DEBUG"), ({"LOG_LEVEL": "DEBUG", "AGENT_LOG_LEVEL": "ERROR"}, "ERROR")],
)
def test_the_agents_own_log_level_goes_before_the_common_one(environment: dict[str, str], level: str) -> None:
    assert agent_settings(NEEDED | environment).agent_log_level == level


def test_the_key_is_not_in_what_is_printed_of_the_settings() -> None:
    assert "sk-1" not in repr(settings(MODEL_API_KEY="sk-1"))


def test_an_mcp_server_needs_no_settings_but_its_tools() -> None:
    assert mcp_server_settings({}).mcp_port == 8000
