"""The batch job on small archives with a tiny model: tables, counts, refusals, report, command line, Scorer, batching."""

import csv
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import FRAMES, random_sentences, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

import serving.job
from data.errors import UserError
from models.predictor import batches_by_length
from serving import Scorer
from serving.__main__ import main
from serving.archive import ArchiveError
from serving.job import JobError, score_archive
from serving.report import write_report

SENTENCE_COLUMNS = [
    "article_id", "sentence_index", "start", "end", "text", "outlet", "date",
    "p_liberation", "p_planned_regroup", "p_panicked_flight", "frames", "source",
]  # fmt: skip
ARTICLE_COLUMNS = [
    "article_id", "source", "row", "id", "title", "date", "date_raw", "outlet", "url", "n_sentences",
    "n_liberation", "n_planned_regroup", "n_panicked_flight",
    "mean_p_liberation", "mean_p_planned_regroup", "mean_p_panicked_flight",
]  # fmt: skip
ATTACK = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six good articles in three files; three broken rows; one unreadable file and one of an unknown kind."""
    folder = tmp_path_factory.mktemp("archive") / "news"
    (folder / "old").mkdir(parents=True)
    texts = random_sentences(12)
    rows = [
        {"id": "a-1", "title": "Army left town", "text": f"{texts[0]} {texts[1]}\n\n{texts[2]}", "outlet": "Wire", "date": "4 March 2031", "desk": "world", "n_sentences": 9},
        {"id": "a-1", "title": " ", "text": f"  {texts[0]}\n{texts[3]}", "outlet": "Post", "date": "soon", "url": "https://a.example/1", "words": 40},
        {"title": "No text here"},
        {"text": "   "},
    ]  # fmt: skip
    path = write_jsonl(folder / "a.jsonl", rows)
    path.write_text(path.read_text(encoding="utf-8") + "{cut short\n", encoding="utf-8")
    with (folder / "b.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [
                ["text", "outlet", "date"],
                [" ".join(texts[4:8]), "Wire", "2031-04"],
                [texts[8], "", ""],
                [ATTACK, ATTACK, ATTACK],
            ]
        )
    (folder / "old" / "c.txt").write_text(f"{texts[9]}\n\n😀 {texts[10]}", encoding="utf-8")
    (folder / "d.parquet").write_bytes(b"PAR1 but no more")
    (folder / "notes.docx").write_bytes(b"zip")
    return folder


@pytest.fixture(scope="module")
def scored(archive: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scored") / "out"
    score_archive(str(archive), out, model=str(tiny_bundle), keep_all=True)
    return out


def table(out: Path, name: str) -> list[dict]:
    return [row for path in sorted((out / name).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def rejects(out: Path) -> list[dict]:
    return [
        json.loads(line) for path in sorted((out / "rejects").glob("*.jsonl")) for line in path.open(encoding="utf-8")
    ]


def manifest(out: Path) -> dict:
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()} if folder.exists() else {}


def score_rows(tmp_path: Path, bundle: Path, rows: list[dict], **options: object) -> Path:
    out = tmp_path / "out"
    path = write_jsonl(tmp_path / "rows.jsonl", rows)
    score_archive(str(path), out, model=str(bundle), keep_all=True, **options)
    return out


# The tables.


def test_the_columns_are_those_of_the_contract_in_its_order(scored: Path):
    assert pq.read_table(scored / "sentences").column_names == SENTENCE_COLUMNS
    assert pq.read_table(scored / "articles").column_names == [
        *ARTICLE_COLUMNS,
        "desk",
        "input_n_sentences",
        "other_columns",
    ]


def test_the_title_is_sentence_0_and_the_text_starts_at_1(scored: Path):
    by_article: dict[str, list[dict]] = {}
    for row in table(scored, "sentences"):
        by_article.setdefault(row["article_id"], []).append(row)
    first = by_article["a-1"]
    assert [row["sentence_index"] for row in first] == [0, 1, 2, 3]
    assert (first[0]["text"], first[0]["start"], first[0]["end"]) == ("Army left town", None, None)
    assert [row["sentence_index"] for row in by_article["a.jsonl#2"]] == [1, 2]  # a blank title is none
    assert [row["sentence_index"] for row in by_article["b.csv#1"]] == [1, 2, 3, 4]


def test_offsets_cut_each_sentence_out_of_its_article(scored: Path, archive: Path):
    lines = (archive / "a.jsonl").read_text(encoding="utf-8").splitlines()
    texts = {"a-1": json.loads(lines[0])["text"], "a.jsonl#2": json.loads(lines[1])["text"]}
    texts["old/c.txt#1"] = (archive / "old" / "c.txt").read_text(encoding="utf-8")
    rows = [row for row in table(scored, "sentences") if row["article_id"] in texts and row["start"] is not None]
    assert len(rows) == 7
    for row in rows:
        assert texts[row["article_id"]][row["start"] : row["end"]] == row["text"]


def test_articles_carry_their_columns_dates_and_places(scored: Path):
    first, second, third, *_, last = table(scored, "articles")
    assert (first["article_id"], first["id"], first["source"], first["row"]) == ("a-1", "a-1", "a.jsonl", 1)
    assert (first["date"], first["date_raw"]) == ("2031-03-04", "4 March 2031")
    assert (second["article_id"], second["id"], second["url"]) == ("a.jsonl#2", "a-1", "https://a.example/1")
    assert (second["date"], second["date_raw"]) == (None, "soon")
    assert (third["source"], third["row"], third["date"]) == ("b.csv", 1, "2031-04")
    assert (last["source"], last["article_id"]) == ("old/c.txt", "old/c.txt#1")


def test_other_columns_are_text_under_their_name_or_a_free_one(scored: Path):
    first, second, third, *_ = table(scored, "articles")
    assert (first["desk"], first["n_sentences"], first["input_n_sentences"]) == ("world", 4, "9")
    assert second["desk"] is None and json.loads(second["other_columns"]) == {"words": "40"}
    assert first["other_columns"] is None and third["other_columns"] is None


def test_counts_and_means_of_an_article_are_those_of_its_sentences(scored: Path):
    sentences = table(scored, "sentences")
    for article in table(scored, "articles"):
        own = [row for row in sentences if row["article_id"] == article["article_id"]]
        assert article["n_sentences"] == len(own) > 0
        for frame in FRAMES:
            assert article[f"n_{frame}"] == sum(frame in row["frames"] for row in own)
            assert article[f"mean_p_{frame}"] == pytest.approx(np.mean([row[f"p_{frame}"] for row in own]), abs=1e-6)


def test_frames_are_those_at_or_over_their_threshold_in_order(scored: Path):
    thresholds = {frame["name"]: frame["threshold"] for frame in manifest(scored)["model"]["frames"]}
    rows = table(scored, "sentences")
    for row in rows:
        assert all(0 <= row[f"p_{frame}"] <= 1 for frame in FRAMES)
        assert row["frames"] == [frame for frame in FRAMES if row[f"p_{frame}"] >= thresholds[frame]]
    assert any(row["frames"] for row in rows) and not all(row["frames"] for row in rows)


def test_identical_sentences_get_equal_probabilities(scored: Path):
    repeated = random_sentences(1)[0]
    found = [row for row in table(scored, "sentences") if row["text"] == repeated]
    assert [row["article_id"] for row in found] == ["a-1", "a.jsonl#2"]
    assert all(found[0][f"p_{frame}"] == found[1][f"p_{frame}"] for frame in FRAMES)


def test_by_default_only_sentences_with_a_frame_are_kept_and_counts_are_over_all(
    scored: Path, archive: Path, tiny_bundle: Path, tmp_path: Path
):
    score_archive(str(archive), tmp_path / "framed", model=str(tiny_bundle))
    assert table(tmp_path / "framed", "sentences") == [row for row in table(scored, "sentences") if row["frames"]]
    assert table(tmp_path / "framed", "articles") == table(scored, "articles")
    assert manifest(tmp_path / "framed")["arguments"]["keep"] == "framed"


def test_everything_that_could_not_be_scored_is_a_reject_with_a_reason(scored: Path):
    found = rejects(scored)
    assert all(list(reject) == ["source", "row", "reason", "excerpt"] for reject in found)
    assert [(reject["source"], reject["row"]) for reject in found] == [
        ("a.jsonl", 3), ("a.jsonl", 4), ("a.jsonl", 5), ("d.parquet", None), ("notes.docx", None),
    ]  # fmt: skip
    assert all(reject["reason"] for reject in found)
    assert "No text here" in found[0]["excerpt"] and found[2]["excerpt"] == "{cut short"


def test_the_counts_add_up(scored: Path):
    counts = manifest(scored)["counts"]
    found = rejects(scored)
    assert counts["rows_read"] == counts["articles"] + counts["rows_rejected"] == 9
    assert counts["files_seen"] == counts["files_read"] + counts["files_rejected"] == 5
    assert counts["articles"] == len(table(scored, "articles")) == 6
    assert counts["rows_rejected"] == sum(reject["row"] is not None for reject in found) == 3
    assert counts["files_rejected"] == sum(reject["row"] is None for reject in found) == 2
    rows = table(scored, "sentences")
    assert counts["sentences"] == counts["sentences_written"] == len(rows)
    assert counts["sentences_scored"] == len({row["text"] for row in rows}) < len(rows)
    assert counts["frames"] == {frame: sum(frame in row["frames"] for row in rows) for frame in FRAMES}


def test_the_manifest_says_what_was_done_with_what(scored: Path, archive: Path, tiny_bundle: Path):
    from models.bundle import file_sha256

    found = manifest(scored)
    assert (found["schema_version"], found["status"]) == (1, "complete")
    assert found["arguments"] == {"archive": str(archive), "keep": "all", "map": {}}
    assert (found["model"]["name"], found["model"]["spec"], found["model"]["version"]) == (
        "tiny",
        str(tiny_bundle),
        None,
    )
    assert {"run_id", "dataset_hash"} <= set(found["model"])
    assert [frame["name"] for frame in found["model"]["frames"]] == list(FRAMES)
    assert all(frame["threshold"] == 0.5 for frame in found["model"]["frames"])
    assert {"code_version", "started", "finished", "seconds"} <= set(found)
    assert [entry["source"] for entry in found["inputs"]] == [
        "a.jsonl",
        "b.csv",
        "d.parquet",
        "notes.docx",
        "old/c.txt",
    ]
    for entry in found["inputs"]:
        path = archive / entry["source"]
        assert (entry["bytes"], entry["sha256"]) == (path.stat().st_size, file_sha256(path))
        assert bool(entry["rejected"]) == (path.suffix in (".parquet", ".docx"))


def test_shards_change_nothing_but_the_number_of_files(
    scored: Path, archive: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(serving.job, "SHARD_ARTICLES", 2)
    score_archive(str(archive), tmp_path / "out", model=str(tiny_bundle), keep_all=True)
    assert len(list((tmp_path / "out" / "articles").iterdir())) == 3
    exact = ["article_id", "sentence_index", "start", "end", "text", "outlet", "date", "source"]
    for one, other in zip(table(tmp_path / "out", "sentences"), table(scored, "sentences"), strict=True):
        assert [one[name] for name in exact] == [other[name] for name in exact]
        assert all(one[f"p_{frame}"] == pytest.approx(other[f"p_{frame}"], abs=0.1) for frame in FRAMES)
    exact = [*ARTICLE_COLUMNS[:10], "desk", "other_columns"]
    for one, other in zip(table(tmp_path / "out", "articles"), table(scored, "articles"), strict=True):
        assert [one[name] for name in exact] == [other[name] for name in exact]
    assert rejects(tmp_path / "out") == rejects(scored)
    unlike = ("sentences_scored", "shards", "frames")
    one, other = (
        {k: v for k, v in manifest(out)["counts"].items() if k not in unlike} for out in (tmp_path / "out", scored)
    )
    assert one == other


def test_the_same_run_again_gives_equal_tables(archive: Path, tiny_bundle: Path, tmp_path: Path):
    out = tmp_path / "out"
    runs = []
    for _ in range(2):
        score_archive(str(archive), out, model=str(tiny_bundle))
        runs.append((table(out, "sentences"), table(out, "articles"), rejects(out)))
    assert runs[0] == runs[1] and runs[0][0]


def test_a_later_run_takes_the_place_of_one_that_broke_off(
    scored: Path, archive: Path, tiny_bundle: Path, tmp_path: Path
):
    out = tmp_path / "out"
    shutil.copytree(scored, out)
    (out / "report.html").unlink()
    broken = {k: v for k, v in manifest(out).items() if k not in ("inputs", "counts", "finished")} | {
        "status": "running"
    }
    (out / "manifest.json").write_text(json.dumps(broken), encoding="utf-8")
    (out / "sentences" / ".000007.parquet.part").write_bytes(b"half")
    shutil.copy(out / "articles" / "000000.parquet", out / "articles" / "000007.parquet")
    assert "not ended" in write_report(out).read_text(encoding="utf-8")
    score_archive(str(archive), out, model=str(tiny_bundle), keep_all=True)
    assert table(out, "sentences") == table(scored, "sentences") and table(out, "articles") == table(scored, "articles")
    assert [path.name for path in (out / "sentences").iterdir()] == ["000000.parquet"]


def test_map_renames_for_the_whole_job(tmp_path: Path, tiny_bundle: Path):
    rows = [{"body": "They left.", "published": "March 2004", "text": "A teaser."}, {"text": "Only a teaser."}]
    out = score_rows(tmp_path, tiny_bundle, rows, mapping={"text": "body", "date": "published"})
    first, second = table(out, "articles")
    assert (first["date"], first["input_text"]) == ("2004-03", "A teaser.")
    assert second["n_sentences"] == 1
    assert [row["text"] for row in table(out, "sentences")] == ["They left.", "Only a teaser."]


def test_columns_that_bear_our_names_or_no_utf_8_name_are_kept(tmp_path: Path, tiny_bundle: Path):
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "a.csv").write_bytes(b",text,a\xf1o,other_columns,article_id\n0,They left.,1999,x,mine\n")
    write_jsonl(tmp_path / "news" / "b.jsonl", [{"text": "They ran.", "p": 1}])
    with (tmp_path / "news" / "b.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"text": "They hid.", "\\ud800": 2}\n')
    score_archive(str(tmp_path / "news"), tmp_path / "out", model=str(tiny_bundle), keep_all=True)
    first, second, third = table(tmp_path / "out", "articles")
    kept = {name: value for name, value in first.items() if name not in ARTICLE_COLUMNS and value is not None}
    assert sorted(kept.values()) == ["0", "1999", "mine", "x"] and kept["input_article_id"] == "mine"
    assert second["p"] == "1" and json.loads(third[list(third)[-1]]) == {"?": "2"}


def test_a_file_name_that_is_not_utf_8_is_scored_or_rejected(tmp_path: Path, tiny_bundle: Path):
    folder = tmp_path / "news"
    folder.mkdir()
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_text("They left.", encoding="utf-8")
        Path(os.fsdecode(os.fsencode(folder) + b"/gon\xe9.csv")).symlink_to("nowhere")
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8 names")
    score_archive(str(folder), tmp_path / "out", model=str(tiny_bundle))
    assert [row["source"] for row in table(tmp_path / "out", "articles")] == ["caf?.txt"]
    assert [(row["source"], row["row"]) for row in rejects(tmp_path / "out")] == [("gon?.csv", None)]


@pytest.mark.parametrize("content", ["", "{oops\n[]\n"])
def test_an_archive_without_a_single_article_still_ends_in_a_report(content: str, tmp_path: Path, tiny_bundle: Path):
    (tmp_path / "a.jsonl").write_text(content, encoding="utf-8")
    counts = score_archive(str(tmp_path / "a.jsonl"), tmp_path / "out", model=str(tiny_bundle))
    assert (counts.articles, counts.rows_rejected, counts.files_read) == (0, content.count("\n"), 1)
    assert len(rejects(tmp_path / "out")) == counts.rows_rejected
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "No article has a date" in page and ("{oops" in page) == bool(content)


# Refusals: before anything is written.


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "rows.jsonl", [{"text": "They left."}])


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path, rows: Path, tiny_bundle: Path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("Years of work.", encoding="utf-8")
    before = snapshot(out)
    with pytest.raises(JobError, match="not empty and not a scored folder"):
        score_archive(str(rows), out, model=str(tiny_bundle))
    assert snapshot(out) == before and [path.name for path in out.iterdir()] == ["thesis.txt"]
    with pytest.raises(JobError, match="must be a folder"):
        score_archive(str(rows), out / "thesis.txt", model=str(tiny_bundle))


@pytest.mark.parametrize("change", ["archive", "keep", "map"])
def test_the_folder_of_another_run_is_refused(change: str, tmp_path: Path, rows: Path, tiny_bundle: Path):
    out = tmp_path / "out"
    score_archive(str(rows), out, model=str(tiny_bundle))
    before = snapshot(out)
    other = write_jsonl(tmp_path / "other.jsonl", [{"text": "They ran."}]) if change == "archive" else rows
    with pytest.raises(JobError, match="another run"):
        score_archive(str(other), out, str(tiny_bundle), change == "keep", {"text": "text"} if change == "map" else {})
    assert snapshot(out) == before


@pytest.mark.parametrize("harm", ["altered", "removed", "no bundle", "newer schema"])
def test_a_model_that_is_not_whole_is_refused_with_nothing_written(
    harm: str, tmp_path: Path, rows: Path, tiny_bundle: Path
):
    bundle = tmp_path / "bundle"
    if harm != "no bundle":
        shutil.copytree(tiny_bundle, bundle)
    if harm == "altered":
        (bundle / "MODEL_CARD.md").write_text("# Better than it is\n", encoding="utf-8")
    elif harm == "removed":
        (bundle / "model.onnx").unlink()
    elif harm == "newer schema":
        meta = json.loads((bundle / "bundle.json").read_text(encoding="utf-8")) | {"schema_version": 99}
        (bundle / "bundle.json").write_text(json.dumps(meta), encoding="utf-8")
    reason = {
        "altered": "does not match its hash",
        "removed": "missing",
        "no bundle": "make train",
        "newer schema": "99",
    }[harm]
    with pytest.raises(UserError, match=reason):
        score_archive(str(rows), tmp_path / "out", model=str(bundle))
    assert not (tmp_path / "out").exists()


def test_a_missing_archive_is_refused_with_nothing_written(tmp_path: Path, tiny_bundle: Path):
    with pytest.raises(ArchiveError, match="no such file"):
        score_archive(str(tmp_path / "gone"), tmp_path / "out", model=str(tiny_bundle))
    assert not (tmp_path / "out").exists()


# The report.


def test_text_of_the_archive_is_escaped_everywhere_in_the_report(tmp_path: Path, tiny_bundle: Path):
    texts = [f"{text[:-1]} {ATTACK}." for text in random_sentences(20)]
    folder = tmp_path / "<script>alert(1)<" / "script>"
    folder.mkdir(parents=True)
    rows = [
        {"id": f"{i}{ATTACK}", "text": t, "title": ATTACK, "outlet": ATTACK, "date": "2004-03-05"}
        for i, t in enumerate(texts)
    ]
    write_jsonl(folder / f"{ATTACK.replace('/', '')}.jsonl", [*rows, {ATTACK: ATTACK}, {"text": [ATTACK]}])
    score_archive(str(folder), tmp_path / "out", model=str(tiny_bundle))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 20
    assert "<script" not in page.lower() and "<svg" in page


def test_the_report_loads_nothing_from_anywhere(scored: Path):
    page = (scored / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href|url|action|srcset)\s*[=(]""", page.replace("http-equiv", ""), re.IGNORECASE)
    assert "default-src 'none'" in page and "@import" not in page


def test_the_report_shows_totals_outlets_and_rejects(scored: Path):
    page = (scored / "report.html").read_text(encoding="utf-8")
    for shown in ("Wire", "(no outlet)", "notes.docx", "whole file", "{cut short", "tiny"):
        assert shown in page, shown
    assert f"<b>{manifest(scored)['counts']['sentences']}</b>sentences" in page


def test_the_report_can_be_built_again(scored: Path, tmp_path: Path):
    out = tmp_path / "out"
    shutil.copytree(scored, out)
    (out / "report.html").unlink()
    assert main(["report", "--out", str(out)]) == 0
    assert (out / "report.html").read_bytes() == (scored / "report.html").read_bytes()


# The command line and Python.


def test_score_from_the_command_line_says_what_came_out(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture
):
    path = write_jsonl(tmp_path / "rows.jsonl", [{"body": "They left."}, {"words": "They ran."}])
    command = [
        "score",
        str(path),
        "--out",
        str(tmp_path / "out"),
        "--model",
        str(tiny_bundle),
        "--keep",
        "all",
        "--map",
        "text=body",
    ]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "2 read = 1 articles + 1 rejected" in said.out and "report.html" in said.out
    assert f"model: {tiny_bundle} (named by MODEL)" in said.err
    assert len(table(tmp_path / "out", "sentences")) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"archive": "gone.jsonl"}, "no such file"),
        ({"--model": "gone"}, "no bundle here"),
        ({"--map": "words=body"}, "MAP"),
    ],
)
def test_a_mistake_exits_1_with_one_line_and_writes_nothing(
    change: dict, reason: str, rows: Path, tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture
):
    given = {"archive": str(rows), "--out": str(tmp_path / "out"), "--model": str(tiny_bundle), "--map": ""} | change
    options = [part for name, value in given.items() if name != "archive" for part in (name, value)]
    assert main(["score", given["archive"], *options]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and reason in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_report_on_another_folder_exits_1_and_bad_usage_2(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert main(["report", "--out", str(tmp_path)]) == 1
    assert "make score" in capsys.readouterr().err
    with pytest.raises(SystemExit) as error:
        main(["score"])
    assert error.value.code == 2


def test_an_interrupt_exits_130(rows: Path, tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serving.job, "score_articles", interrupted)
    assert main(["score", str(rows), "--out", str(tmp_path / "out"), "--model", str(tiny_bundle)]) == 130
    monkeypatch.undo()
    assert main(["score", str(rows), "--out", str(tmp_path / "out"), "--model", str(tiny_bundle)]) == 0


def test_the_scorer_gives_one_record_a_sentence_in_order(tiny_bundle: Path):
    texts = [*random_sentences(30), "", random_sentences(1)[0]]
    records = Scorer.load(str(tiny_bundle)).score(texts)
    assert [record["text"] for record in records] == texts
    assert all(list(record) == ["text", *(f"p_{frame}" for frame in FRAMES), "frames"] for record in records)
    assert all(
        isinstance(record[f"p_{frame}"], float) and 0 <= record[f"p_{frame}"] <= 1
        for record in records
        for frame in FRAMES
    )
    assert records[-1] == records[0]
    assert Scorer.load(str(tiny_bundle)).score([]) == []
    json.dumps(records)


@pytest.mark.parametrize("wrong", ["One string.", [None], ["A sentence.", 5], [["nested"]]])
def test_the_scorer_takes_a_list_of_strings_only(wrong: object, tiny_bundle: Path):
    with pytest.raises(TypeError, match="list of strings"):
        Scorer.load(str(tiny_bundle)).score(wrong)


# Batching.


@given(st.lists(st.integers(1, 600), max_size=80), st.integers(1, 2048))
def test_batches_are_a_permutation_within_the_budget(lengths: list[int], budget: int):
    batches = [batch.tolist() for batch in batches_by_length(lengths, budget)]
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


def test_a_scored_folder_inside_its_own_archive_is_refused(tmp_path: Path, tiny_bundle: Path):
    write_jsonl(tmp_path / "a.jsonl", [{"text": "Troops left."}])
    with pytest.raises(JobError, match="inside the archive"):
        score_archive(str(tmp_path), tmp_path / "out", model=str(tiny_bundle))
    assert not (tmp_path / "out").exists()
