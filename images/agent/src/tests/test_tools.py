from waybill_agent.agent.tool import Tool, by_name, cut


def tool(name: str, source: str = "server") -> Tool:
    async def call(_: object) -> str:
        return ""

    return Tool(name, source, name, "", {}, call)


def test_names_are_ones_that_a_model_may_use() -> None:
    assert list(by_name([tool("files.read"), tool("wörk"), tool("x" * 100)])) == ["files_read", "w_rk", "x" * 64]


def test_tools_of_one_name_are_told_apart_by_their_servers() -> None:
    tools = [tool("add", "a"), tool("add", "b")]
    assert {name: found.source for name, found in by_name(tools).items()} == {"add": "a", "b_add": "b"}


def test_a_long_result_is_cut() -> None:
    assert cut("short") == "short"
    assert len(cut("x" * 1_000_000)) < 70_000
