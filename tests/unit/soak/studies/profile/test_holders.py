from __future__ import annotations

from soak.studies.profile.holders import Holder, Look, grown_holders, holder_of


def held(name: str, size: int, entries: int = 10) -> Holder:
    return Holder("list", name, (), entries, "bytes", size)


def test_what_grew_between_two_looks_is_told_most_first() -> None:
    before = Look((held("a", 1000), held("b", 5000)))
    after = Look((held("c", 9000, 40), held("b", 6000), held("a", 900)))
    grown = grown_holders(before, after)
    assert [(each.name, each.bytes) for each in grown] == [("c", 9000), ("b", 1000)]
    assert grown[0].in_words() == "list `c`, 40 entries of bytes"


def test_many_containers_of_one_name_are_one() -> None:
    grown = grown_holders(Look(()), Look((held("Session.buffer", 500), held("Session.buffer", 700))))
    assert [(each.bytes, each.entries) for each in grown] == [(1200, 20)]


def test_a_holder_explains_a_stack_that_gained_as_much() -> None:
    grown = [held("far", 90_000), held("near", 9_800), held("small", 100)]
    assert holder_of(10_000, grown) == grown[1]
    assert holder_of(1_000_000, grown) is None
    assert holder_of(10_000, []) is None


def test_the_page_of_the_server_is_read() -> None:
    look = Look((held("a", 1000),))
    assert Look.of_page(look.to_json_object()) == look
    assert Look.of_page({}) == Look(())
