import pytest

from waybill_agent.agent.chain import HEADER, Chain
from waybill_agent.failure import Failure


def test_a_task_from_outside_may_go_to_any_peer() -> None:
    chain = Chain.of(None, 5)
    assert chain.refusal("me", "you") is None
    assert chain.header_of("me") == {HEADER: "me"}


def test_a_task_does_not_go_in_circles() -> None:
    chain = Chain.of("a, b", 5)
    assert chain.header_of("me") == {HEADER: "a, b, me"}
    assert "already" in (chain.refusal("me", "a") or "")
    assert "already" in (chain.refusal("me", "me") or "")
    assert chain.refusal("me", "c") is None


def test_a_task_goes_so_far_and_no_further() -> None:
    assert "limit" in (Chain.of("a,b", 2).refusal("me", "c") or "")
    assert "limit" in (Chain.of("", 0).refusal("me", "c") or "")
    with pytest.raises(Failure, match="more than 2"):
        Chain.of("a,b,c", 2)
