"""SQL over HTTP: tables in four forms, and strangers' queries that end at their limits and reach nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from lepton_ai.domain.access.rights import Rights
from lepton_ai.projections.encoding import arrow_stream, csv_lines, json_objects, parquet
from lepton_ai.projections.export import export
from lepton_ai.projections.queries.child import QueryLimits
from lepton_ai.web.door.visitor import Visitor
from lepton_ai.web.options import Limits

from ..asking import until
from .server import Served, served

LIMITS = Limits(queries=3, query=QueryLimits(seconds=5.0, cpu_seconds=10, memory=1 << 28, answer=4 << 20, rows=50_000))
ALICE = Visitor("alice", Rights(frozenset(("sql",))), "1")
VISITORS = {
    "sql": ALICE,
    "reader": Visitor("bob", Rights(frozenset(("read", "write", "move"))), "2"),
    "some models": Visitor("eve", Rights(frozenset(("sql", "read")), ("net*",)), "3"),
}
ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
ALL = "SELECT version, branch, message, committed FROM versions ORDER BY version"
SECRET = "what stands in a file of the machine"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("machine")
    (folder / "secret.csv").write_text(f"said\n{SECRET}\n")
    with served(folder / "home", limits=LIMITS) as server:
        server.service.visitor = VISITORS.get  # type: ignore[method-assign,assignment]
        for number, words in enumerate(('"quoted", and a comma', "two\nlines", "")):
            server.manager.save_version({"w": np.full(2, number, "float32")}, name="net", message=words)
        yield server


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(next(tmp_path_factory.getbasetemp().glob("machine*/secret.csv")))


ACCEPTED = {
    "": "application/json",
    "*/*": "application/json",
    "text/*": "text/csv; charset=utf-8; header=present",
    "text/csv;q=0.5, application/json;q=0.4": "text/csv; charset=utf-8; header=present",
    "application/json;q=0.1, */*;q=0.2": "text/csv; charset=utf-8; header=present",
    "application/*;q=0.2, text/csv;q=0.1": "application/json",
    "application/json;q=0, application/*": ARROW,
    ARROW: ARROW,
    f"text/html, {PARQUET}": PARQUET,
}


@pytest.mark.parametrize("accept", ACCEPTED)
def test_a_table_is_told_in_the_form_that_is_liked_best(server: Served, accept: str) -> None:
    answer = server.client().post("/sql", json={"query": ALL}, headers={"Accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (200, ACCEPTED[accept])
    assert answer.headers["vary"] == "Accept, Authorization"


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*", "*/*;q=0", "x"])
def test_a_form_that_there_is_none_of_is_refused_before_anything_is_asked(server: Served, accept: str) -> None:
    answer = server.client().post("/sql", json={"query": "no SQL"}, headers={"Accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")
    assert "text/csv" in answer.json()["detail"]


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/sql", ""])
def test_a_question_that_is_no_json_is_refused(server: Served, media: str) -> None:
    answer = server.client().post("/sql", content=b'{"query": "SELECT 1"}', headers={"Content-Type": media})

    assert answer.status_code == 415


def test_all_forms_hold_the_same_rows_as_here(server: Served) -> None:
    def asked(accept: str) -> bytes:
        return server.client("sql").get("/sql", params={"query": ALL}, headers={"Accept": accept}).content

    here = server.manager.sql(ALL)

    assert json.loads(asked("application/json")) == {
        "columns": here.column_names, "count": 3, "rows": json.loads(export(here, "json")), "file": None, "as_of": None,
    }  # fmt: skip
    assert asked("text/csv").startswith(b"version,branch,message,committed\r\n")
    head, *rows = csv.reader(io.StringIO(asked("text/csv").decode(), newline=""))
    assert [row[2] for row in rows] == ['"quoted", and a comma', "two\nlines", ""]
    assert head == here.column_names
    assert pa.ipc.open_stream(asked(ARROW)).read_all().equals(here)
    assert pa.parquet.read_table(io.BytesIO(asked(PARQUET))).to_pylist() == here.to_pylist()


def test_a_question_takes_parameters_places_in_the_log_and_names_or_pseudonyms(server: Served) -> None:
    def asked(query: str, **more: Any) -> Any:
        answer = server.client("sql").post("/sql", json={"query": query, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert asked("SELECT $a + 1 AS n", params={"a": 1})["rows"] == [{"n": 2}]
    assert asked("SELECT version FROM versions WHERE version > ?", params=[2])["rows"] == [{"version": 3}]
    assert asked("SELECT count(*) AS n FROM versions", as_of=1)["rows"] == [{"n": 0}]
    assert asked("SELECT count(*) AS n FROM versions", as_of="2020-01-01")["as_of"] == {"seq": 0, "recorded": None}
    whom = "SELECT DISTINCT actor AS a FROM versions"
    (name,), (pseudonym,) = asked(whom)["rows"], asked(whom, opened=False)["rows"]
    assert name["a"] == server.service.user != pseudonym["a"]
    found = "SELECT version FROM versions WHERE opened(actor) = ? AND opened(message) LIKE 'two%'"
    assert asked(found, params=[name["a"]])["rows"] == [{"version": 2}]


def test_an_answer_sees_all_that_was_recorded_before_it_was_asked_for(server: Served) -> None:
    for number in range(2):
        server.manager.describe("net", f"number {number}")
        answer = server.client().get("/sql", params={"query": "SELECT description FROM models"})
        assert answer.json()["rows"] == [{"description": f"number {number}"}]


@pytest.mark.parametrize(("who", "status"), [("sql", 200), ("reader", 403), ("some models", 403), ("nobody", 401)])
def test_sql_is_for_those_who_may_ask_of_all_models(server: Served, who: str, status: int) -> None:
    for answer in (
        server.client(who).get("/sql", params={"query": "SELECT 1"}),
        server.client(who).post("/sql", json={"query": "SELECT 1"}),
    ):
        assert answer.status_code == status


BAD = {
    "unknown field": ({"query": "SELECT 1", "output": "x"}, "output"),
    "no query": ({}, "query"),
    "a number": ({"query": 1}, "query"),
    "a timeout of nothing": ({"query": "SELECT 1", "timeout": 0}, "timeout"),
    "an endless timeout": ({"query": "SELECT 1", "timeout": 1e9}, "timeout"),
    "no place": ({"query": "SELECT 1", "as_of": "yesterday"}, "no place in the log"),
    "a place to come": ({"query": "SELECT 1", "as_of": 10**9}, "ends at event"),
    "no SQL": ({"query": "SELEKT 1"}, 'syntax error at or near "SELEKT"'),
    "no such view": ({"query": "FROM verions"}, "Table with name verions does not exist"),
    "a parameter too few": ({"query": "SELECT ?"}, "parameter"),
    "a query too long": ({"query": "SELECT 1 --" + "x" * 300_000}, "query"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_question_is_told_in_one_sentence(server: Served, what: str) -> None:
    question, words = BAD[what]
    answer = server.client().post("/sql", json=question)

    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


HOSTILE = {
    "a file": "SELECT * FROM read_csv('{secret}')",
    "a file by its name": "SELECT * FROM '{secret}'",
    "a file as text": "SELECT content FROM read_text('{secret}')",
    "a file within a condition": "SELECT 1 FROM versions WHERE 'x' IN (SELECT content FROM read_text('{secret}'))",
    "a file behind a comment": "/* plain */ SELECT * FROM /**/ read_csv /* ( */ ('{secret}') -- ;",
    "a file by a quoted name": "SELECT * FROM \"read_csv\"('{secret}')",
    "a file by a query in text": "SELECT * FROM query('FROM read_csv(''{secret}'')')",
    "a list of files": "SELECT * FROM glob('/etc/*')",
    "a page": "SELECT * FROM read_csv('http://127.0.0.1:1/x')",
    "a bucket": "SELECT * FROM 's3://bucket/x.parquet'",
    "a copy out": "COPY versions TO '{secret}.out'",
    "a copy in": "COPY versions FROM '{secret}'",
    "another database": "ATTACH '{secret}.db'",
    "an extension": "INSTALL httpfs",
    "an extension loaded": "LOAD httpfs",
    "a setting": "SET enable_external_access = true",
    "a setting read": "SELECT current_setting('secret_directory')",
    "the environment": "SELECT getenv('PATH')",
    "a pragma": "PRAGMA database_list",
    "the catalogue": "SELECT * FROM pg_catalog.pg_settings",
    "the databases": "SELECT path FROM duckdb_databases()",
    "two statements": "SELECT 1; DROP TABLE store.events",
    "two statements behind a comment": "SELECT 1 -- \n; ATTACH 'x'",
    "a change": "DELETE FROM store.events",
    "a change within": "WITH x AS (DELETE FROM store.events RETURNING seq) SELECT * FROM x",
    "a macro": "CREATE MACRO mine() AS 1",
    "an endless recursion": "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    "a cross join": "SELECT count(*) FROM range(10000000) a (i), range(10000000) b (j) WHERE i * j = -1",
    "a huge text": "SELECT length(repeat('x', 3000000000))",
    "many large texts": "SELECT sum(length(lpad('x', 100000000, i::VARCHAR))) FROM range(100000) AS r (i)",
    "a large sort": "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY -i) AS n FROM range(200000000) r (i))",
    "a huge list": "SELECT list_sum(list_transform(range(500000000), lambda x: x * 2))",
    "too many rows": "FROM range(50001)",
    "too many bytes": "SELECT repeat('x', 1000) FROM range(40000)",
    "deep brackets": "SELECT " + "(" * 20000 + "1" + ")" * 20000,
    "a padded text": "SELECT length(lpad('x', 2000000000, 'y'))",
    "a costly pattern": "SELECT regexp_matches(repeat('a', 30000000), '(a*)*b')",
    "many additions": "SELECT " + "+".join(["1"] * 5000),
    "many unions": " UNION ALL ".join(["SELECT 1"] * 5000),
    "half a character": "SELECT '\ud800'",
    "a NUL": "SELECT '\0'",
}
TOO_LONG = frozenset({"too many rows", "too many bytes"})
ANSWERED = frozenset({"a NUL", "half a character", "a costly pattern", "a padded text"})
"""What may be answered within the limits, and harms nobody."""


def test_hostile_queries_end_at_their_limits_and_reach_nothing(server: Served, secret: str) -> None:
    end, before = server.manager.position(), _files(Path(secret).parent)

    def ask(what: str) -> httpx.Response:
        seconds = 5.0 if what in TOO_LONG else 0.5
        body = json.dumps({"query": HOSTILE[what].replace("{secret}", secret), "timeout": seconds})
        client = httpx.Client(base_url=f"{server.url}/api/v1", timeout=120)
        return client.post("/sql", content=body, headers={"Content-Type": "application/json"})

    quick = [each for each in HOSTILE if each not in TOO_LONG]
    with ThreadPoolExecutor(3) as threads:
        answers = dict(zip(quick, threads.map(ask, quick), strict=True))
    answers |= {each: ask(each) for each in TOO_LONG}

    for what, answer in answers.items():
        assert SECRET not in answer.text, what
        if answer.status_code == 200 and what in ANSWERED:
            continue
        assert answer.status_code in (400, 409), (what, answer.text)
        said = answer.json()["detail"]
        assert "\n" not in said, what
        assert str(Path(secret).parent / "home") not in said, what
    assert all("add a LIMIT" in answers[each].text for each in TOO_LONG)
    assert _files(Path(secret).parent) == before
    assert server.manager.position() == end
    assert server.client().get("/sql", params={"query": "SELECT count(*) AS n FROM versions"}).json()["rows"] == [
        {"n": 3}
    ]
    assert _children() == []


def test_more_queries_than_one_token_may_ask_wait(server: Served) -> None:
    queries = server.service.queries
    rate, queries._rate = queries._rate, type(queries._rate)(2)
    try:
        answers = [server.client("sql").get("/sql", params={"query": "SELECT 1"}) for _ in range(3)]
        others = server.client().get("/sql", params={"query": "SELECT 1"})
    finally:
        queries._rate = rate

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) >= 1
    assert others.status_code == 200


def test_a_query_ends_when_its_client_goes_away(server: Served) -> None:
    slow = HOSTILE["an endless recursion"]
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{server.url}/api/v1/sql", params={"query": slow}, timeout=1.0)

    until(lambda: not _children())  # it would be there for 4 s more


def test_rows_are_written_as_they_are_read() -> None:
    schema = pa.schema({"n": pa.int64()})
    for write in (json_objects, csv_lines, arrow_stream, parquet):
        read = 0

        def batches() -> Iterator[pa.RecordBatch]:
            nonlocal read
            for read in range(1, 40):  # noqa: B007
                yield pa.record_batch({"n": np.zeros(300_000, "int64")}, schema=schema)

        pieces = write(schema, batches())  # type: ignore[operator]
        next(pieces)
        assert read <= 28, write  # 64 MiB of Parquet, one batch of the others


def test_what_a_form_cannot_hold_is_refused_before_the_answer_begins(server: Served) -> None:
    twice = "SELECT 1 AS a, unnest({'a': 2})"
    union = "SELECT union_value(a := 1) AS u"

    assert server.client().get("/sql", params={"query": twice}).status_code in (200, 400)
    answer = server.client().get("/sql", params={"query": union}, headers={"Accept": PARQUET})
    assert (answer.status_code, "cast it to text" in answer.text) == (400, True)
    far = server.client().get("/sql", params={"query": "SELECT '290000-01-01'::TIMESTAMP AS t, 'NaN'::DOUBLE AS n"})
    assert far.json()["rows"] == [{"t": "290000-01-01T00:00:00.000000", "n": "NaN"}]


def _children() -> list[str]:
    """The processes of queries that this one's threads have started; servers of other tests are beside them."""
    started = list[str]()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # threads end meanwhile
            started += (task / "children").read_text().split()
    return [child for child in started if b"lepton_ai.projections.queries.confined" in _words(child)]


def _words(process: str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
