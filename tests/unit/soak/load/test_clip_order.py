from itertools import islice

from soak.load.clip_order import clip_order


def test_every_round_has_every_clip() -> None:
    assert list(islice(clip_order(3, "cycle", 0), 7)) == [0, 1, 2, 0, 1, 2, 0]
    shuffled = list(islice(clip_order(9, "shuffle", 7), 27))
    assert all(sorted(shuffled[start : start + 9]) == list(range(9)) for start in (0, 9, 18))
    assert shuffled == list(islice(clip_order(9, "shuffle", 7), 27))
    assert shuffled != list(islice(clip_order(9, "shuffle", 8), 27))
