"""The data package: reading, checking and splitting labelled sentences."""

from pathlib import Path

import pytest
from conftest import FRAMES, labelled_row, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from data.__main__ import main
from data.check import find_problems
from data.diversity import keywordless_share
from data.errors import DataError
from data.frames import load_frames
from data.sentence import dataset_hash, labelled_files, load_sentences, parse_sentence, read_rows
from data.split import split_of, split_sentences
from data.wars import load_wars

ROOT = Path(__file__).parent.parent
WARS = load_wars()


def parse(row: object):
    return parse_sentence(row, FRAMES, WARS, "here:1")


def test_a_good_row_is_read_with_labels_in_codebook_order():
    row = labelled_row("x-1", "They said so.", ["panicked_flight", "liberation"])
    row["voice"]["liberation"] = {"voice": "attributed", "speaker": "They"}
    sentence = parse(row)
    assert sentence.labels == ("liberation", "panicked_flight")
    assert sentence.voice["liberation"].speaker == "They"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": ["heroism"]}, "unknown frames"),
        ({"labels": "liberation"}, "must be a list"),
        ({"voice": {}}, "exactly the frames"),
        ({"register": "poem"}, "register 'poem'"),
        ({"position": None}, "'position'"),
        ({"war": "star-wars", "event": "star-wars/hoth"}, "not in data/wars.yaml"),
        ({"event": "palmyra"}, "must read 'syria-war/<event-slug>'"),
        ({"war": None}, "both null"),
        ({"text": " "}, "'text' must be a non-empty string"),
        ({"phenomenon": "Scare quotes"}, "'phenomenon'"),
        ({"voice": {"liberation": {"voice": "attributed", "speaker": "Nobody"}}}, "character for character"),
        ({"voice": {"liberation": {"voice": "narrator", "speaker": "town"}}}, "the narrator has no speaker"),
        ({"extra": 1}, "unknown field 'extra'"),
    ],
)
def test_each_fault_is_named_with_its_place(changes: dict, reason: str):
    with pytest.raises(DataError, match="here:1: ") as error:
        parse({**labelled_row("x-1", "The town was freed.", ["liberation"]), **changes})
    assert reason in str(error.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_read_or_refused(value: object):
    with pytest.raises(DataError):
        parse(value)


@given(
    st.dictionaries(
        st.sampled_from(list(labelled_row("a", "b", []))), st.none() | st.text() | st.integers() | st.lists(st.text())
    )
)
def test_any_field_values_are_read_or_refused(changes: dict):
    try:
        parse({**labelled_row("x-1", "Some text.", []), **changes})
    except DataError as error:
        assert str(error).startswith("here:1: ")


def test_a_line_that_is_not_json_is_named(tmp_path: Path):
    path = tmp_path / "lot.jsonl"
    path.write_text('{"id": 1}\n{oops\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"lot\.jsonl:2: not JSON"):
        list(read_rows(path))


def sentences(*rows: dict):
    return [parse(row) for row in rows]


def test_duplicates_near_duplicates_and_leaks_are_found():
    text = "The brigade left the northern suburb on Monday after three days of shelling by the other side"
    found = find_problems(
        sentences(
            labelled_row("x-1", text, []),
            labelled_row("x-1", "Something quite different happened at the river that week, people remembered", []),
            labelled_row("x-2", text.replace("Monday", "Friday"), [], war="korean-war", event="korean-war/chosin"),
        ),
        WARS,
    )
    assert any("id x-1 is used 2 times" in p for p in found)
    assert any("near-duplicate" in p and "leaks" in p for p in found)


def test_a_minimal_pair_may_be_alike_but_must_differ_in_labels():
    one = labelled_row(
        "x-1", "The garrison fled the hill town before the column came up the road", ["panicked_flight"], pair="p1"
    )
    two = labelled_row("x-2", "The garrison left the hill town before the column came up the road", [], pair="p1")
    assert find_problems(sentences(one, two), WARS) == []
    longer = {**one, "id": "x-3", "text": one["text"] + " that night"}
    assert any("same labels" in p for p in find_problems(sentences(one, longer), WARS))
    assert any("say the same" in p for p in find_problems(sentences(one, {**two, "text": one["text"]}), WARS))
    assert any("has 1 sentence" in p for p in find_problems(sentences(one), WARS))


@given(st.sampled_from(sorted(WARS)), st.text("abcdef-", min_size=1, max_size=8))
def test_no_event_is_in_two_splits(war: str, slug: str):
    rows = [labelled_row(f"x-{i}", "A text.", [], war=war, event=f"{war}/a{slug}") for i in range(3)]
    splits = {split_of(s, WARS) for s in sentences(*rows)}
    assert len(splits) == 1
    assert (splits == {"test"}) == WARS[war].test


def test_the_hash_sees_text_and_labels_but_not_the_order():
    a, b = labelled_row("x-1", "One thing.", []), labelled_row("x-2", "Another thing.", [])
    assert dataset_hash(sentences(a, b)) == dataset_hash(sentences(b, a))
    assert dataset_hash(sentences(a, b)) != dataset_hash(sentences(a, {**b, "text": "Another thing!"}))
    assert dataset_hash(sentences(a, b)) != dataset_hash(
        sentences(a, labelled_row("x-2", "Another thing.", ["liberation"]))
    )


def test_check_exits_1_on_a_bad_file_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture):
    bad = write_jsonl(tmp_path / "bad.jsonl", [labelled_row("x-1", "A text.", ["heroism"])])
    assert main(["check", str(bad)]) == 1
    assert "bad.jsonl:1: unknown frames" in capsys.readouterr().err


def test_frames_file_faults_are_named(tmp_path: Path):
    for text, reason in [
        ("frames: []", "at least one"),
        ("- a", "needs a list"),
        ("frames: [{name: A B}]", "title"),
        ("{", "not readable"),
    ]:
        path = tmp_path / "frames.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=reason):
            load_frames(path)


# What follows holds the committed data to what the project promises of it.


def committed():
    return load_sentences(labelled_files(), FRAMES, WARS)


def test_the_committed_sentences_pass_the_check(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("data.__main__.embed", lambda texts: None)  # a minute's work on all of them
    assert main(["check"]) == 0
    assert "no problems" in capsys.readouterr().out


def test_the_committed_shares():
    all_of_them = committed()
    splits = split_sentences(all_of_them, WARS)
    framed = [s for s in all_of_them if s.labels]
    unframed = [s for s in all_of_them if not s.labels]
    assert len(all_of_them) >= 12_000
    assert len(unframed) >= 0.60 * len(all_of_them)
    assert sum(s.war is not None for s in unframed) >= 3_000
    assert sum(s.war is None for s in unframed) >= 2_000
    for frame in FRAMES:
        assert sum(frame in s.labels for s in all_of_them) >= 1_200
        for part in (splits.training, splits.validation, splits.test):
            assert any(frame in s.labels for s in part)
    assert len({s.event for s in all_of_them if s.event}) >= 150
    assert len({s.war for s in all_of_them if s.war}) >= 50
    assert len({s.pair for s in all_of_them if s.pair}) >= 800
    assert sum(s.position == "passing" for s in framed) >= 0.60 * len(framed)
    assert keywordless_share(all_of_them) >= 0.15


def test_no_sentence_of_the_sample_archive_is_trained_on():
    def plain(text: str) -> str:
        return " ".join(text.lower().split())

    sample = "\n".join(plain(p.read_text(encoding="utf-8")) for p in sorted((ROOT / "data" / "sample").iterdir()))
    assert not [s.id for s in committed() if plain(s.text) in sample]
