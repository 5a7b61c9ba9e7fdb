from pathlib import Path

import pytest

from waybill_agent.failure import SettingsError
from waybill_agent.mcp_server.functions import from_file, from_text


def names(source: str) -> list[str]:
    return [function.__name__ for function in from_text(source)]


def test_public_functions_of_the_source_are_tools_and_imported_ones_are_not() -> None:
    assert names("from json import dumps\nclass C: pass\ndef a(): pass\nasync def b(): pass\ndef _c(): pass") == [
        "a",
        "b",
    ]


def test_functions_see_each_other() -> None:
    a, _ = from_text("def a(): return b() + X\ndef b(): return 1\nX = 2")
    assert a() == 3


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def a(:", "MCP_TOOLS_STRING, line 1: invalid syntax"),
        ("x = 1\n1 / 0", "MCP_TOOLS_STRING, line 2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "MCP_TOOLS_STRING, line 1: SystemExit: 3"),
        ("x = 1", "MCP_TOOLS_STRING defines no tool"),
        ("def a(): pass\0", "MCP_TOOLS_STRING: source code string cannot contain null bytes"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(source: str, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        from_text(source)
    assert raised.value.lines[0].startswith(said)


def test_a_file_is_read_and_told_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "tools.py"
    file.write_text("def a(): return 1")
    assert [function() for function in from_file(str(file))] == [1]
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"tools\.py can't be read"):
        from_file(str(file))
    with pytest.raises(SettingsError, match=r"nothing\.py can't be read"):
        from_file(str(tmp_path / "nothing.py"))
