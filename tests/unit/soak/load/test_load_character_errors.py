import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soak.load.character_errors import CharacterErrors, character_errors, normalised


@pytest.mark.parametrize(
    ("reference", "transcript", "errors", "characters"),
    [
        ("三八一零", "三八一零", 0, 4),
        ("三八一零", "三八零", 1, 4),
        ("三八一零", "三七一零九", 2, 4),
        ("三八一零", "", 4, 4),
        ("", "三八", 2, 0),
        ("five", "fife", 1, 4),
        ("seven two nine", "seventwo nine", 0, 12),
    ],
)
def test_errors_are_insertions_deletions_and_substitutions_of_characters(
    reference: str, transcript: str, errors: int, characters: int
) -> None:
    assert character_errors(reference, transcript) == CharacterErrors(errors, characters)


@pytest.mark.parametrize(
    ("written", "also"),
    [
        ("Seven, two. NINE!", "seven two nine"),
        ("ＡＢＣ　１２３", "abc 123"),
        ("三八一零", "3810"),
        ("二〇二六，好。", "2026 好"),
        ("don’t", "don't"),
        ("cafe\u0301", "café"),
        ("ﬁve", "five"),
        ("一 二\n三", "一二三"),
    ],
)
def test_what_recognisers_write_differently_is_no_error(written: str, also: str) -> None:
    assert normalised(written) == normalised(also)
    assert character_errors(written, also).errors == 0


def test_what_sounds_different_is_an_error() -> None:
    for one, other in (("二", "三"), ("resume", "résumé"), ("zero", "0"), ("十", "一零")):
        assert character_errors(one, other).errors > 0


@given(st.text())
def test_normalising_what_is_normalised_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(st.text(), st.text())
def test_errors_are_a_distance(one: str, other: str) -> None:
    there, back = character_errors(one, other), character_errors(other, one)
    assert there.errors == back.errors
    assert (there.errors == 0) == (normalised(one) == normalised(other))
    assert abs(there.characters - back.characters) <= there.errors <= max(there.characters, back.characters)


@given(st.text(alphabet="零一二三四五六七八九 ab"), st.text(alphabet="零一二三四五六七八九 ab"), st.text())
@example("a", "b", "¯")
def test_the_same_words_before_and_after_add_no_errors(one: str, other: str, same: str) -> None:
    alone = character_errors(one, other)
    assert character_errors(f"{same} {one}", f"{same} {other}").errors <= alone.errors
    assert character_errors(f"{one} {same}", f"{other} {same}").errors <= alone.errors
