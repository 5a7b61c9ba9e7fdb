from tests.conftest import settings
from waybill_agent.agent.memory import Memory


def filled(**bounds: str) -> Memory:
    memory = Memory(settings(**bounds))
    for number in range(6):
        for letter in "abc":
            memory.add(letter, "user_message", f"{letter}{number}")
    return memory


def contents(memory: Memory, session: str | None = None, limit: int = 100) -> list[str]:
    return [event["content"] for event in memory.events(session, limit)]


def test_events_are_kept_a_session() -> None:
    memory = filled()
    assert memory.sessions() == ["a", "b", "c"]
    assert contents(memory, "b") == ["b0", "b1", "b2", "b3", "b4", "b5"]
    assert contents(memory, "nobody") == []


def test_the_limit_takes_the_last_ones() -> None:
    assert contents(filled(), "a", 2) == ["a4", "a5"]
    assert contents(filled(), "a", 0) == []


def test_a_session_forgets_its_oldest_events() -> None:
    assert contents(filled(MEMORY_MAX_SESSION_EVENTS="2"), "a") == ["a4", "a5"]


def test_the_session_that_was_used_last_is_forgotten_last() -> None:
    memory = filled(MEMORY_MAX_SESSIONS="3")
    memory.add("a", "user_message", "again")
    memory.add("d", "user_message", "new")
    assert memory.sessions() == ["c", "a", "d"]


def test_bytes_are_bounded_over_all_sessions() -> None:
    memory = Memory(settings(MEMORY_MAX_BYTES="100000"))
    for number in range(1000):
        memory.add(f"session {number}", "user_message", "x" * 10_000)
    assert len(memory.sessions()) == 9
    assert memory.sessions()[-1] == "session 999"


def test_bytes_are_bounded_in_one_session() -> None:
    memory = Memory(settings(MEMORY_MAX_BYTES="100000"))
    for _ in range(100):
        memory.add("one", "user_message", "x" * 10_000)
    assert len(contents(memory)) == 9


def test_a_long_content_is_cut() -> None:
    memory = Memory(settings())
    memory.add("a", "tool_result", {"result": "x" * 1_000_000})
    assert len(contents(memory)[0]) < 20_000
    assert contents(memory)[0].endswith("characters more]")
