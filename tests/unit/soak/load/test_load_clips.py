import array

from soak.load.clips import CLIP_FOLDER, load_clips
from soak.load.clips.make_clips import LINES


def test_clips_are_many_short_recordings_of_clearly_different_length() -> None:
    clips = load_clips()
    durations_s = [clip.duration_s for clip in clips]
    assert 16 <= len(clips) <= 20
    assert len({clip.name for clip in clips}) == len(clips)
    assert min(durations_s) >= 1
    assert max(durations_s) <= 8
    assert max(durations_s) > 4 * min(durations_s)
    assert sum(path.stat().st_size for path in CLIP_FOLDER.iterdir() if path.is_file()) < 2_500_000


def test_transcripts_are_in_the_form_a_recogniser_writes() -> None:
    clips = load_clips()
    assert {clip.language for clip in clips} == {"cmn", "en"}
    for clip in clips:
        alphabet = (
            set("零一二三四五六七八九") if clip.language == "cmn" else set("abcdefghijklmnopqrstuvwxyz ")
        )
        assert clip.transcript
        assert set(clip.transcript) <= alphabet


def test_levels_are_even_and_nothing_is_clipped() -> None:
    for clip in load_clips():
        peak = max(abs(sample) for sample in array.array("h", clip.pcm))
        assert 0.65 < peak / 32768 < 0.75


def test_the_list_is_what_the_script_makes() -> None:
    made = [(line.name, line.transcript) for line in LINES]
    assert [(clip.name, clip.transcript) for clip in load_clips()] == made
