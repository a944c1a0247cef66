"""From the files of an archive to articles: finding, reading, dates, and the check of each row."""

import csv
import gzip
import io
import json
import os
from itertools import islice
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from serving.archive import ArchiveError, SourceFile, find_files
from serving.articles import Article, ArticleIds, Reject, parse_map, rename, to_article
from serving.dates import iso_date
from serving.readers import FileProblem, Row, first_columns, read_rows

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def in_memory(name: str, content: bytes) -> SourceFile:
    filesystem = fsspec.filesystem("memory")
    filesystem.pipe(f"/readers/{name}", content)
    return SourceFile(filesystem, f"/readers/{name}", name, len(content))


def read(name: str, content: bytes) -> list[Row]:
    return list(read_rows(in_memory(name, content)))


def values(name: str, content: bytes) -> list[dict]:
    return [row.value for row in read(name, content)]


def read_until_problem(name: str, content: bytes) -> tuple[list[Row], str]:
    rows = []
    with pytest.raises(FileProblem) as error:
        for row in read_rows(in_memory(name, content)):
            rows.append(row)
    return rows, str(error.value)


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def article(row: dict, mapping: dict | None = None, ids: ArticleIds | None = None, number: int = 1):
    return to_article(Row(number, row), "a.jsonl", mapping or {}, ids or ArticleIds())


# Finding files.


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    for name in ("b.jsonl", "a.txt", "2019/may/c.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"12345")
    return folder


def test_a_file_is_found_under_its_name(archive: Path):
    (found,) = find_files(str(archive / "b.jsonl"))
    assert (found.source, found.size) == ("b.jsonl", 5)


def test_a_folder_is_walked_in_name_order_with_names_inside_it(archive: Path):
    assert [f.source for f in find_files(str(archive))] == ["2019/may/c.csv", "a.txt", "b.jsonl"]
    assert [f.source for f in find_files(f"{archive}/")] == ["2019/may/c.csv", "a.txt", "b.jsonl"]


def test_a_relative_path_works(archive: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(archive.parent)
    assert [f.source for f in find_files("news/2019")] == ["may/c.csv"]


def test_a_glob_takes_files_only_with_names_from_its_fixed_part(archive: Path):
    assert [f.source for f in find_files(f"{archive}/*")] == ["a.txt", "b.jsonl"]
    assert [f.source for f in find_files(f"{archive}/**/*.csv")] == ["2019/may/c.csv"]
    assert [f.source for f in find_files(f"{archive}/[b]*.jsonl")] == ["b.jsonl"]


@pytest.mark.parametrize("missing", ["nothing", "nothing/*.csv", "*.xml"])
def test_a_path_without_files_is_an_error_that_names_it(archive: Path, missing: str):
    with pytest.raises(ArchiveError, match=r"nothing|xml"):
        find_files(str(archive / missing))


def test_an_empty_folder_and_an_unknown_protocol_are_errors(tmp_path: Path):
    with pytest.raises(ArchiveError, match="no file in it"):
        find_files(str(tmp_path))
    with pytest.raises(ArchiveError, match="cannot be listed"):
        find_files("carrierpigeon://archive/a.csv")


def test_a_url_is_listed_and_read():
    fsspec.filesystem("memory").pipe({"/urls/x/one.txt": b"One.", "/urls/two.jsonl": b'{"text": "Two."}\n'})
    files = find_files("memory://urls")
    assert [f.source for f in files] == ["two.jsonl", "x/one.txt"]
    assert [row.value for f in files for row in read_rows(f)] == [{"text": "Two."}, {"text": "One."}]
    assert [f.source for f in find_files("memory://urls/*.jsonl")] == ["two.jsonl"]


def test_a_file_name_that_is_not_utf_8_gets_a_source_that_tables_can_hold(tmp_path: Path):
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("They left.", encoding="utf-8")
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8 names")
    (found,) = find_files(str(tmp_path))
    assert found.source == "caf?.txt"
    assert [row.value for row in read_rows(found)] == [{"text": "They left."}]


# Reading rows.


def test_json_lines_are_numbered_by_line_and_blank_lines_skipped():
    rows = read("a.jsonl", b'{"text": "One."}\n\n  \r\n{"text": "Two.", "n": [1]}')
    assert rows == [Row(1, {"text": "One."}), Row(4, {"text": "Two.", "n": [1]})]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "cut', "not JSON"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"n": ' + b"[" * 100_000 + b"}", "not JSON"),
        (b'["text"]', "a JSON list, not an object"),
        (b"null", "a JSON NoneType, not an object"),
        (b'{"text": "caf\xe9"}', "not UTF-8"),
        (b"\x00", "not JSON"),
    ],
)
def test_a_bad_json_line_costs_only_itself(line: bytes, reason: str):
    first, bad, last = read("a.jsonl", b'{"text": "One."}\n' + line + b'\n{"text": "Three."}\n')
    assert (first.value, last.value) == ({"text": "One."}, {"text": "Three."})
    assert bad.row == 2 and bad.value is None and reason in bad.problem
    assert len(bad.excerpt) <= 300


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    mark = b"\xef\xbb\xbf"
    assert values("a.jsonl", mark + b'{"text": "One."}\n') == [{"text": "One."}]
    assert values("a.csv", mark + b"text,id\nOne.,1\n") == [{"text": "One.", "id": "1"}]
    assert values("a.txt", mark + b"One.") == [{"text": "One."}]


def test_csv_fields_may_hold_quotes_commas_and_line_breaks():
    content = b'id,text\r\n1,"They said ""go"", and\r\nleft.\n\nAll of them."\r\n\r\n2,Two.\r\n'
    assert read("a.csv", content) == [
        Row(1, {"id": "1", "text": 'They said "go", and\r\nleft.\n\nAll of them.'}),
        Row(2, {"id": "2", "text": "Two."}),
    ]


def test_a_csv_field_may_be_long():
    assert values("a.csv", b"text\n" + b"long " * 100_000) == [{"text": "long " * 100_000}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,two,three", "3 fields, the header has 2"),
        (b"1", "1 fields, the header has 2"),
        (b"1,caf\xe9", "not UTF-8"),
        (b'1,"two"three', "not CSV at line 3"),
    ],
)
def test_a_bad_csv_row_costs_only_itself(line: bytes, reason: str):
    first, bad, last = read("a.csv", b"id,text\n1,One.\n" + line + b"\n3,Three.\n")
    assert (first.value["text"], last.value["text"]) == ("One.", "Three.")
    assert (bad.row, last.row) == (2, 3) and bad.value is None and reason in bad.problem


def test_a_nul_byte_in_csv_costs_one_letter():
    assert values("a.csv", b"id,text\n1,O\x00e.\n2,Two.\n") == [
        {"id": "1", "text": "O\ufffde."},
        {"id": "2", "text": "Two."},
    ]


def test_a_csv_quote_that_never_closes_costs_the_rest_of_the_file_and_says_where():
    rows = read_rows(in_memory("a.csv", b'text\nOne.\n"Two\nThree.\n'))
    assert next(rows).value == {"text": "One."}
    with pytest.raises(FileProblem, match="opened after row 1 is never closed"):
        next(rows)


def test_parquet_rows_keep_their_types():
    content = parquet(pa.table({"text": ["One.", None], "n": [1, 2]}))
    assert read("a.parquet", content) == [Row(1, {"text": "One.", "n": 1}), Row(2, {"text": None, "n": 2})]


def test_a_parquet_value_that_python_cannot_hold_costs_only_its_row():
    raw = pa.array([b"One.", b"caf\xe9", b"Three."], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    first, bad, last = read("a.parquet", parquet(pa.table({"text": text})))
    assert (first.value, last.value) == ({"text": "One."}, {"text": "Three."})
    assert bad.row == 2 and "not UTF-8" in bad.problem
    far = pa.array([0, 2**62], pa.timestamp("us"))
    first, bad = read("a.parquet", parquet(pa.table({"text": ["One.", "Two."], "date": far})))
    assert first.value["text"] == "One." and bad.row == 2 and "cannot be read" in bad.problem


def test_a_text_file_is_one_article():
    assert values("a.txt", "One.\n\nТwо.\n".encode()) == [{"text": "One.\n\nТwо.\n"}]
    (row,) = read("a.txt", b"caf\xe9")
    assert row.row == 1 and "not UTF-8" in row.problem


JSON_LINES = b'{"text": "One."}\n{"text": "Two."}\n'
CSV = b"text\nOne.\nTwo.\n"


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", JSON_LINES), ("a.csv", CSV), ("A.JSONL", JSON_LINES)])
def test_both_compressions_read_like_the_plain_file(name: str, content: bytes):
    plain = read(name, content)
    assert [row.value["text"] for row in plain] == ["One.", "Two."]
    assert read(f"{name}.gz", gzip.compress(content)) == plain
    assert read(f"{name}.zst", zstandard.compress(content)) == plain


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_compressed_files_joined_end_to_end_are_read_to_the_end(ending: str):
    compress = {"gz": gzip.compress, "zst": zstandard.compress}[ending]
    assert len(read(f"a.jsonl.{ending}", compress(JSON_LINES) + compress(JSON_LINES))) == 4


def long_lines() -> list[bytes]:
    return [json.dumps({"text": f"Line {i}.", "noise": os.urandom(40).hex()}).encode() + b"\n" for i in range(3000)]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz", "a.jsonl.zst", "a.csv.zst"])
def test_the_rows_before_a_cut_in_a_compressed_file_are_kept_and_the_cut_is_named(name: str):
    lines = (
        long_lines()
        if "jsonl" in name
        else [b"text,noise\n", *(b"x,%s\n" % os.urandom(40).hex().encode() for _ in range(3000))]
    )
    if name.endswith("gz"):
        content = gzip.compress(b"".join(lines))
    else:
        packer = zstandard.ZstdCompressor().compressobj()
        content = b""
        for line in lines:
            content += packer.compress(line) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        content += packer.flush()
    rows, problem = read_until_problem(name, content[: len(content) // 2])
    assert 500 < len(rows) < 3000 and all(row.value for row in rows)
    assert f"after row {len(rows)}: EOFError" in problem


@pytest.mark.parametrize("name", ["a.docx", "a", "a.txt.gz", "a.parquet.zst", "a.gz", ".gz"])
def test_other_formats_are_refused_by_name(name: str):
    rows, problem = read_until_problem(name, b"One.")
    assert not rows and ".jsonl" in problem and "not a format" in problem


def test_an_empty_file_has_no_rows():
    for name in ("a.jsonl", "a.csv", "a.jsonl.gz", "a.csv.zst"):
        assert read(name, b"") == []
    assert read("a.csv", b"text\n") == []
    assert values("a.txt", b"") == [{"text": ""}]
    assert "unreadable" in read_until_problem("a.parquet", b"")[1]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.zst", "a.parquet"])
def test_a_file_of_another_kind_than_its_name_is_a_file_problem(name: str):
    rows, problem = read_until_problem(name, b"text\nplain all the way\n")
    assert not rows and problem.startswith("unreadable: ")


def test_a_file_that_is_gone_is_a_file_problem():
    gone = SourceFile(fsspec.filesystem("memory"), "/readers/gone.csv", "gone.csv", 0)
    with pytest.raises(FileProblem, match="FileNotFoundError"):
        list(read_rows(gone))


def test_first_columns_come_from_the_first_readable_row():
    assert first_columns(in_memory("a.jsonl", b'oops\n{"text": "One.", "desk": 1}\n{"late": 1}\n')) == ["text", "desk"]
    assert first_columns(in_memory("a.csv", b"text,desk\nshort\nOne.,1\n")) == ["text", "desk"]
    assert first_columns(in_memory("a.txt", b"One.")) == []
    assert first_columns(in_memory("a.parquet", b"oops")) == []


@given(st.sampled_from(["jsonl", "csv", "txt", "parquet", "jsonl.gz", "csv.zst"]), st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_file_problem(ending: str, content: bytes):
    file = in_memory(f"any.{ending}", content)
    try:
        for row in islice(read_rows(file), 400):
            assert (row.value is None) != (row.problem is None)
            assert isinstance(to_article(row, "any", {}, ArticleIds()), Article | Reject)
    except FileProblem:
        pass
    assert isinstance(first_columns(file), list)


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=4), st.booleans())
def test_written_json_lines_are_read_back_equal(rows: list[dict], escaped: bool):
    written = [json.dumps(row, ensure_ascii=escaped) for row in rows]
    content = "".join(f"{line}\n" for line in written).encode("utf-8", "surrogatepass")
    if escaped:
        assert [json.dumps(value) for value in values("back.jsonl", content)] == written
    else:
        assert [row.row for row in read("back.jsonl", content)] == list(range(1, len(rows) + 1))


# Unless told to quote all, the csv writer of Python 3.11 leaves a lone \r bare where lines end in \n: no reader can mend that.
@given(
    st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=5),
    st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
)
def test_written_csv_is_read_back_equal(rows: list[list[str]], manner: tuple[str, int]):
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator=manner[0], quoting=manner[1]).writerows([["text", "title"], *rows])
    expected = [{"text": a.replace("\0", "\ufffd"), "title": b.replace("\0", "\ufffd")} for a, b in rows]
    assert values("back.csv", sink.getvalue().encode()) == expected


@settings(max_examples=30)
@given(st.lists(TEXT, max_size=5))
def test_written_parquet_is_read_back_equal(texts: list[str]):
    assert values("back.parquet", parquet(pa.table({"text": pa.array(texts, pa.string())}))) == [
        {"text": t} for t in texts
    ]


# Dates.


@pytest.mark.parametrize(
    ("raw", "iso"),
    [
        ("26-FEB-1987 15:01:01.79", "1987-02-26T15:01:01"),
        ("2004", "2004"),
        ("March 2004", "2004-03"),
        ("2004-03", "2004-03"),
        ("4 March 2031", "2031-03-04"),
        ("03/04/2022", "2022-03-04"),
        (" 2022-09-01 23:49:46 ", "2022-09-01T23:49:46"),
        ("2022-09-01T23:49:46Z", "2022-09-01T23:49:46+00:00"),
        ("2022-09-01 23:49 +0300", "2022-09-01T23:49:00+03:00"),
        ("2022-09-01 23:49 EST", "2022-09-01T23:49:00"),
        ("soon", None),
        ("March", None),
        ("", None),
        (" ", None),
        ("2022-02-30", None),
        ("9" * 50, None),
        ("9" * 500, None),
        ("10000000000000000000000000000H", None),
        ("2022-09-01 23:49 +99:00", None),
    ],
)
def test_dates_are_no_finer_than_given(raw: str, iso: str | None):
    assert iso_date(raw) == iso


PIECES = "0 1 12 31 99 2004 1987 - : / . , + T Z UTC am pm March FEB Mon of at h m s 1e5 nan inf 99999999999 12:30 +99:00 \u00b2 10h 0000"


@given(st.text(max_size=70) | st.lists(st.sampled_from([*PIECES.split(), " "]), max_size=8).map("".join))
def test_any_text_is_a_date_or_none(raw: str):
    iso = iso_date(raw)
    assert iso is None or iso[:4].isdigit()


# Rows to articles.


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"body": "They left."}, "no 'text'; the row has 'body' (MAP renames)"),
        ({"text": None}, "no 'text'"),
        ({}, "no columns"),
        ({"text": ""}, "'text' is empty"),
        ({"text": " \n\t\u00a0"}, "'text' is empty"),
        ({"text": 5}, "'text' is a int, not a string"),
        ({"text": ["They left."]}, "'text' is a list"),
        ({"text": "half \ud83d"}, "lone surrogate"),
    ],
)
def test_a_row_without_a_usable_text_is_a_reject_with_its_reason(row: dict, reason: str):
    reject = article(row)
    assert isinstance(reject, Reject)
    assert (reject.source, reject.row) == ("a.jsonl", 1)
    assert reason in reject.reason
    (reject.reason + reject.excerpt).encode()


def test_a_row_that_could_not_be_read_keeps_its_reason_and_excerpt():
    row = Row(3, None, "not JSON: oops", "{oops \ud800")
    assert to_article(row, "a.jsonl", {}, ArticleIds()) == Reject("a.jsonl", 3, "not JSON: oops", "{oops ?")


def test_map_renames_and_says_which_column_it_missed():
    found = article({"body": "They left.", "published": "2004"}, {"text": "body", "date": "published"})
    assert (found.text, found.date, found.date_raw, found.extra) == ("They left.", "2004", "2004", {})
    assert "no 'body'" in article({"words": "They left."}, {"text": "body"}).reason


def test_a_column_that_map_pushes_aside_is_kept():
    row = {"text": "A teaser.", "body": "They left."}
    assert rename(row, {"text": "body"}) == {"input_text": "A teaser.", "text": "They left."}
    assert rename(row, {"text": "body", "title": "text"}) == {"text": "They left.", "title": "A teaser."}
    assert rename({"text": "One."}, {"text": "body"}) == {"text": "One."}


def test_map_is_parsed():
    assert parse_map('text=body date="pub date"') == {"text": "body", "date": "pub date"}
    assert parse_map("") == {}


@pytest.mark.parametrize("pair", ["text", "text=", "=body", "words=body"])
def test_a_bad_map_is_refused_with_the_columns_it_may_name(pair: str):
    with pytest.raises(UserError, match="outlet"):
        parse_map(pair)


def test_articles_without_an_id_of_their_own_are_named_by_place():
    ids = ArticleIds()
    names = [
        article({"text": "T.", "id": own}, None, ids, n).article_id for n, own in enumerate(["x", None, "", "x", 7], 1)
    ]
    assert names == ["x", "a.jsonl#2", "a.jsonl#3", "a.jsonl#4", "7"]


def test_an_id_that_reads_like_a_place_takes_no_other_articles_name():
    ids = ArticleIds()
    names = [
        article({"text": "T.", "id": own}, None, ids, n).article_id for n, own in enumerate(["a.jsonl#2", None], 1)
    ]
    assert names == ["a.jsonl#2", "a.jsonl#2+"]


def test_a_repeated_id_stays_in_its_own_column():
    ids = ArticleIds()
    first, second = (article({"text": "T.", "id": "x"}, None, ids, n) for n in (1, 2))
    assert (first.id, second.id) == ("x", "x") and second.article_id == "a.jsonl#2"


def test_other_columns_are_kept_as_text():
    row = {
        "text": "T.",
        "n": 3,
        "gap": 4.0,
        "share": 0.5,
        "tags": ["a", "é"],
        "none": None,
        "empty": "",
        "yes": True,
        "bad": "\ud800",
    }
    assert article(row).extra == {
        "n": "3", "gap": "4", "share": "0.5", "tags": '["a", "é"]', "none": None, "empty": None, "yes": "true", "bad": "?",
    }  # fmt: skip


def test_a_date_that_is_none_stays_as_it_was_given():
    found = article({"text": "T.", "date": "soon", "title": 1984})
    assert (found.date, found.date_raw, found.title) == (None, "soon", "1984")


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["text", "id", "title", "date", "outlet", "url", "body"]) | st.text(), JSON, max_size=6
        )
    ),
    st.booleans(),
)
def test_any_json_row_is_an_article_or_a_reject(rows: list[dict], mapped: bool):
    ids, names = ArticleIds(), []
    for number, row in enumerate(rows, 1):
        item = article(row, {"text": "body", "date": "id"} if mapped else {}, ids, number)
        if isinstance(item, Article):
            names.append(item.article_id)
            shown = [item.article_id, item.text, item.title, item.outlet, *item.extra, *item.extra.values()]
        else:
            shown = [item.reason, item.excerpt]
        for text in shown:
            (text or "").encode()
    assert len(set(names)) == len(names)
