import array
import json
import wave
from pathlib import Path

import pytest

from soak.load.clips import CLIP_FOLDER, ClipError, find_clips, load_clips
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
        assert clip.transcript is not None
        assert clip.transcript
        assert set(clip.transcript) <= alphabet


def test_levels_are_even_and_nothing_is_clipped() -> None:
    for clip in load_clips():
        peak = max(abs(sample) for sample in array.array("h", clip.pcm))
        assert 0.65 < peak / 32768 < 0.75


def test_the_list_is_what_the_script_makes() -> None:
    made = [(line.name, line.transcript) for line in LINES]
    assert [(clip.name, clip.transcript) for clip in load_clips()] == made


def write_wav(path: Path, seconds: float = 0.1, rate_hz: int = 16000, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as recording:
        recording.setnchannels(channels)
        recording.setsampwidth(2)
        recording.setframerate(rate_hz)
        recording.writeframes(bytes(2 * channels * int(seconds * rate_hz)))


def test_recordings_of_ones_own_have_their_texts_beside_them(tmp_path: Path) -> None:
    for name in ("b.wav", "a.WAV", "c.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "a.txt").write_text("\ufeff零一\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("\n", encoding="utf-8")
    clips = load_clips(tmp_path)
    assert [(clip.name, clip.transcript) for clip in clips] == [("a", "零一"), ("b", ""), ("c", None)]
    assert {clip.duration_s for clip in clips} == {0.1}


def test_recordings_of_ones_own_can_be_listed(tmp_path: Path) -> None:
    write_wav(tmp_path / "one.wav")
    write_wav(tmp_path / "two.wav")
    entries = [{"file": "two.wav", "name": "second", "transcript": "two"}, {"file": "one.wav"}]
    (tmp_path / "clips.json").write_text(json.dumps(entries))
    clips = load_clips(tmp_path)
    assert [(clip.name, clip.transcript) for clip in clips] == [("second", "two"), ("one", None)]


def unlisted(folder: Path) -> None:
    (folder / "notes.txt").write_text("")


def missing(folder: Path) -> None:
    (folder / "clips.json").write_text('[{"file": "gone.wav"}]')


def nameless(folder: Path) -> None:
    (folder / "clips.json").write_text('[{"name": "x"}]')


def no_list(folder: Path) -> None:
    (folder / "clips.json").write_text('{"a": 1}')


def broken_list(folder: Path) -> None:
    (folder / "clips.json").write_text("[")


def number_as_text(folder: Path) -> None:
    (folder / "clips.json").write_text('[{"file": "a.wav", "transcript": 5}]')


def doubled(folder: Path) -> None:
    write_wav(folder / "a.wav")
    write_wav(folder / "a.WAV")


def other_rate(folder: Path) -> None:
    write_wav(folder / "a.wav", rate_hz=8000)


def stereo(folder: Path) -> None:
    write_wav(folder / "a.wav", channels=2)


def empty(folder: Path) -> None:
    write_wav(folder / "a.wav", seconds=0)


def no_wav(folder: Path) -> None:
    (folder / "a.wav").write_bytes(b"ID3 and no RIFF")


def not_utf8(folder: Path) -> None:
    write_wav(folder / "a.wav")
    (folder / "a.txt").write_bytes("零".encode("gb18030"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (unlisted, "no recordings"),
        (missing, "gone.wav"),
        (nameless, 'entry 1 names no recording: write "file"'),
        (no_list, "not a JSON list"),
        (broken_list, "not a JSON list"),
        (number_as_text, "transcript is 5, not a text"),
        (doubled, "2 recordings named 'a'"),
        (other_rate, "sox"),
        (stereo, "sox"),
        (empty, "no audio"),
        (no_wav, "not a PCM WAV file"),
        (not_utf8, "UTF-8"),
    ],
)
def test_recordings_that_cannot_be_used_are_refused_in_one_line(
    tmp_path: Path, make: object, says: str
) -> None:
    assert callable(make)
    make(tmp_path)
    with pytest.raises(ClipError, match=says) as caught:
        find_clips(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="nowhere is no folder"):
        find_clips(tmp_path / "nowhere")
