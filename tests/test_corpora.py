"""Texts behind the layers: fetched from a server of our own that breaks, lies and lacks files."""

import gzip
import hashlib
import io
import json
import re
import tarfile

import pytest

import corpora
import downloads
import sources
from faulty_server import Server
from stance.errors import StanceError
from stance.layers import hash_text
from stance.sets import read_licences, read_set

pytestmark = pytest.mark.enable_socket

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROWS = {  # row id, text, and the set it is a row of
    "newsmtsc": [("train/a-1", "Kyiv left the talks.", "layers"),
                 ("test/a-2", "It rained — again.", "layers")],
    "recent/paper": [("paper/news:0#1", "Moscow wants to talk.", "layers"),
                     ("paper/news:0#2", "“Never,” she said.", "validation"),
                     ("paper/more:7#0", "They met.", "test")],
}  # fmt: skip
FILES = {
    "a/news/{}/list.jsonl": '{"id": 1, "sentence": "Kyiv  left the talks."}\n\n'
                            '{"id": 2, "sentence": "It rained \\u2014 again."}\n',
    "b/paper/{}/my%20news.csv": "Title,Text\nOne,\"Yes, we met. Moscow wants\n to talk. “Never,” "
                                "she said.\"\nTwo,They met.\n",
}  # fmt: skip
TABLE = """
file_address = "{server}/{{repository}}/{{commit}}/{{path}}"
archive_address = "{server}/{{repository}}/{{commit}}.tar.gz"
[[sources]]
name = "newsmtsc"
repository = "a/news"
commit = "{commit}"
licence = "made up"
files = ["list.jsonl"]
form = "jsonl"
[[sources]]
name = "recent/paper"
repository = "b/paper"
commit = "{commit}"
licence = "made up"
{paper}
[unavailable]
"""
AS_FILE = 'files = ["my news.csv"]\nform = "csv"'
AS_ARCHIVE = 'files = ["texts/{name}.txt"]\nform = "text"\narchive = true'


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "STANCE_CORPORA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloads, "PAUSE_S", 0)
    monkeypatch.setattr(downloads, "CHUNK_BYTES", 8)
    running = Server({path.format(COMMIT): text.encode() for path, text in FILES.items()})
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    parts = {"layers": {}, "validation": {}, "test": {}}
    for source, rows in ROWS.items():
        corpus = source.split("/")[0]
        for row_id, text, part in rows:
            fields = {
                "id": f"{corpus}:{row_id}", "document": row_id, "corpus": corpus, "row": row_id,
                "sha256": hash_text(text), "label": "favor", "holder": None, "source": None,
                "others": [], "votes": [],
            } | ({"split": "train"} if part == "layers" else {})  # fmt: skip
            parts[part].setdefault(corpus, []).append(json.dumps(fields) + "\n")
    for part, groups in parts.items():
        for corpus, lines in groups.items():
            name = f"layers/{corpus}" if part == "layers" else f"realnews/{part}"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.jsonl").write_text("".join(lines))
    (folder / "articles.jsonl").touch()
    return folder


@pytest.fixture
def build(server, data, tmp_path):
    """Return a function that runs the command in a folder ``out``, and returns its exit code."""

    def run(*arguments, paper=AS_FILE):
        table = tmp_path / "table.toml"
        table.write_text(TABLE.format(server=server.url, commit=COMMIT, paper=paper))
        options = ["--table", table, "--data-dir", data, "--out", tmp_path / "out", *arguments]
        return corpora.main([str(option) for option in options])

    return run


def pack(files, commit=COMMIT):
    """Return an archive as ``git archive`` makes it."""
    packed = io.BytesIO()
    head = {"comment": commit}
    with tarfile.open(
        fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers=head
    ) as t:
        for name, text in files.items():
            member = tarfile.TarInfo(f"paper-{commit[:7]}/{name}")
            member.size = len(text.encode())
            t.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def list_rows(data, out):
    """Return {row id: text} of all sets, from the built folder."""
    parts = [("layers", "train"), ("realnews", "validation"), ("realnews", "test")]
    rows = [row for name, split in parts for row in read_set(data, name, split, out).rows]
    return {row.fields["row"]: row.text for row in rows}


ALL = {row_id: text for rows in ROWS.values() for row_id, text, _ in rows}


def test_rows_come_back_under_the_ids_of_the_layers(build, data, tmp_path, capsys):
    assert build() == 0
    out = tmp_path / "out"
    assert list_rows(data, out) == ALL
    with gzip.open(out / "pool" / "recent.jsonl.gz", "rt") as lines:
        rows = {row["row"]: row for row in map(json.loads, lines)}
    assert rows["paper/news:0#2"]["before"] == "Moscow wants to talk."
    assert sorted(p.name for p in (out / "public" / "newsmtsc").iterdir()) == [
        "test.jsonl.gz", "train.jsonl.gz"]  # fmt: skip
    for line in (out / "downloads" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((out / "downloads" / name).read_bytes()).hexdigest() == digest
    said = capsys.readouterr()
    assert "| layers / train | 3 of 3 | 3 of 3 | 0 of 0 | 0 of 0 | 0 of 0 |" in said.out
    assert "without a text" not in said.out
    assert "recent/paper: 3 of 3 rows" in said.err


def test_a_second_run_fetches_nothing_and_changes_nothing(build, server, tmp_path):
    build()
    out = tmp_path / "out"
    before = {path: path.read_bytes() for path in out.rglob("*.gz")}
    server.asked.clear()
    assert build() == 0
    assert server.asked == []
    assert {path: path.read_bytes() for path in out.rglob("*.gz")} == before


def test_a_broken_connection_is_resumed(build, server, data, tmp_path):
    server.faults = [("news.csv", "break", 24)]
    assert build() == 0
    assert [start for name, start in server.asked if name.endswith("news.csv")] == [0, 24]
    assert list_rows(data, tmp_path / "out") == ALL


def test_a_stopped_run_is_resumed(build, server, data, tmp_path):
    server.faults = [("news.csv", "break", 24), *[("news.csv", "busy", 0)] * 4]
    assert build() == 1
    assert "paper/news:0#1" not in list_rows(data, tmp_path / "out")
    server.asked.clear()
    assert build() == 0
    assert server.asked == [("my%20news.csv", 24)]
    assert list_rows(data, tmp_path / "out") == ALL


def test_a_server_without_ranges_sends_all_again(build, server, data, tmp_path):
    server.ranges = False
    server.faults = [("news.csv", "break", 24)]
    assert build() == 0
    assert list_rows(data, tmp_path / "out") == ALL


def test_a_range_that_was_not_asked_for_is_not_taken(build, server, data, tmp_path):
    server.faults = [("news.csv", "break", 24), ("news.csv", "shift", 0)]
    assert build() == 0
    assert [start for name, start in server.asked if name.endswith("news.csv")] == [0, 24, 0]
    assert list_rows(data, tmp_path / "out") == ALL


@pytest.mark.parametrize("length", [None, 10_000])
def test_a_part_that_is_whole_or_too_long_is_no_obstacle(server, tmp_path, length):
    content = server.files[f"a/news/{COMMIT}/list.jsonl"]
    (tmp_path / "list.jsonl.part").write_bytes((content + b"x" * 10_000)[: length or len(content)])
    downloads.fetch(f"{server.url}/a/news/{COMMIT}/list.jsonl", tmp_path / "list.jsonl")
    assert (tmp_path / "list.jsonl").read_bytes() == content


def test_a_wrong_hash_is_refused_and_the_others_are_built(build, server, data, tmp_path, capsys):
    assert build(paper=AS_FILE + '\nsha256 = {"my news.csv" = "00ff"}') == 1
    assert "expected a file with SHA-256 00ff" in capsys.readouterr().err
    assert set(list_rows(data, tmp_path / "out")) == {"train/a-1", "test/a-2"}
    assert not list((tmp_path / "out").rglob("my news.csv*"))


def test_a_changed_download_is_fetched_again(build, server, tmp_path):
    build()
    (path,) = (tmp_path / "out").rglob("my news.csv")
    right = path.read_bytes()
    path.write_text("changed")
    (tmp_path / "out" / "pool" / "recent.jsonl.gz").unlink()
    server.asked.clear()
    assert build() == 0
    assert server.asked == [("my%20news.csv", 0)]
    assert path.read_bytes() == right


def test_a_missing_file_is_named(build, server, capsys):
    del server.files[f"b/paper/{COMMIT}/my%20news.csv"]
    assert build() == 1
    said = capsys.readouterr()
    assert f"{server.url}/b/paper/{COMMIT}/my%20news.csv: expected the file" in said.err
    assert "found HTTP 404" in said.err
    assert "without a text: recent/paper, 3 rows" in said.out


def test_another_text_is_refused(build, server, data, tmp_path, capsys):
    path = f"b/paper/{COMMIT}/my%20news.csv"
    server.files[path] = server.files[path].replace(b"They met", b"They left")
    assert build() == 1
    assert "at least 99% of its 3 rows, found 2" in capsys.readouterr().err
    assert "paper/news:0#1" not in list_rows(data, tmp_path / "out")
    assert build("--least", "0.5") == 0
    assert set(ALL) - set(list_rows(data, tmp_path / "out")) == {"paper/more:7#0"}


def test_another_form_is_named(build, server, capsys):
    server.files[f"a/news/{COMMIT}/list.jsonl"] = b"<html>Sign in</html>"
    assert build() == 1
    assert "list.jsonl: expected a file of the form 'jsonl', found JSONDecodeE" in (
        capsys.readouterr().err)  # fmt: skip


def test_a_busy_server_is_waited_for(build, server):
    server.faults = [("news.csv", "busy", 0)]
    assert build() == 0


def test_a_server_that_asks_for_a_long_pause_is_left_alone(build, server, capsys):
    server.faults = [("news.csv", "busy", 3600)]
    assert build() == 1
    assert "HTTP 429, wait 3600 seconds. Run the same command again" in capsys.readouterr().err


def test_an_interrupted_conversion_leaves_whole_files(build, server, data, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    build("--only", "newsmtsc")
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", stop)
        assert build() == 1  # in the download, just before it is whole
    with monkeypatch.context() as patch:
        patch.setattr(corpora, "write_bytes", stop)
        assert build() == 1  # between conversion and writing
    assert set(list_rows(data, tmp_path / "out")) == {"train/a-1", "test/a-2"}
    assert build() == 0
    assert list_rows(data, tmp_path / "out") == ALL
    assert sum(name.endswith("news.csv") and start == 0 for name, start in server.asked) == 1
    assert not list((tmp_path / "out").rglob("*.part"))


def test_archives_are_searched_for_the_files_of_the_rows(build, server, data, tmp_path):
    texts = {
        "texts/news.txt": "Yes, we met.Moscow wants to talk.“Never,” she said.",
        "texts/more.txt": "They met.\n",
        "texts/none.txt": "\0 read by nobody",
    }
    server.files[f"b/paper/{COMMIT}.tar.gz"] = pack(texts)
    server.faults = [(".tar.gz", "break", 50)]
    assert build(paper=AS_ARCHIVE) == 0
    assert list_rows(data, tmp_path / "out") == ALL
    assert [ask for ask in server.asked if ask[0].endswith(".gz")] == [(f"{COMMIT}.tar.gz", 0)] * 2


@pytest.mark.parametrize("spoil", [lambda a: pack({"texts/more.txt": "x"}, "f" * 40),
                                   lambda a: a[:-30], lambda a: b"no archive"])  # fmt: skip
def test_archives_of_another_commit_or_damaged_are_deleted(build, server, tmp_path, capsys, spoil):
    server.files[f"b/paper/{COMMIT}.tar.gz"] = spoil(pack({"texts/more.txt": "They met."}))
    assert build(paper=AS_ARCHIVE) == 1
    assert f"expected an archive of commit {COMMIT}" in capsys.readouterr().err
    assert not list((tmp_path / "out").rglob("*.tar.gz"))


def test_a_ready_copy_is_checked_and_nothing_fetched(build, server, data, tmp_path, monkeypatch,
                                                     capsys):  # fmt: skip
    build("--only", "newsmtsc")
    server.asked.clear()
    monkeypatch.setenv("STANCE_CORPORA", str(tmp_path / "out"))
    capsys.readouterr()
    call = ["--data-dir", str(data), "--table", str(tmp_path / "table.toml")]
    assert corpora.main(call) == 1
    out, messages = capsys.readouterr()
    assert "| layers / train | 2 of 3 |" in out
    assert "recent/paper: 0 of 3 rows are there" in messages
    assert corpora.main([*call, "--only", "newsmtsc"]) == 0
    assert server.asked == []


@pytest.mark.parametrize("option", [(), ("--check",), ("--list",)])
def test_wrong_calls_are_named(build, data, monkeypatch, capsys, option):
    """Whether something is fetched or not, and where a ready copy is named, too."""
    assert build("--only", "news", *option) == 2
    assert (
        "--only: expected newsmtsc, recent/paper, found news: no such source. T"
        in capsys.readouterr().err
    )
    for least in ("0", "-0.5", "1.01", "99", "nan"):
        assert build("--least", least, *option) == 2
        assert f"--least: expected a share above 0, at most 1, found {least}" in (
            capsys.readouterr().err)  # fmt: skip
    build()
    monkeypatch.setenv("STANCE_CORPORA", str(data.parent / "out"))
    assert corpora.main(["--only", "news", "--data-dir", str(data), *option]) == 2
    assert ", found news: no such source. T" in capsys.readouterr().err


def test_wrong_tables_are_named(build, capsys):
    assert build(paper='files = []\nform = "xml"') == 2
    assert "no such form: xml" in capsys.readouterr().err
    assert build(paper=AS_FILE + "\ncolour = 3") == 2
    assert "unexpected keyword argument 'colour'" in capsys.readouterr().err


@pytest.mark.parametrize("option", [(), ("--check",)])
def test_only_what_is_named_is_counted(build, capsys, option):
    build()
    capsys.readouterr()
    assert build("--only", "recent/paper", *option) == 0
    said = capsys.readouterr().out
    assert "| layers / train | 1 of 1 | 1 of 1 |" in said
    assert "| realnews / test | 1 of 1 | 1 of 1 |" in said
    assert build("--only", "newsmtsc", *option) == 0
    assert "| layers / train | 2 of 2 | 2 of 2 |" in capsys.readouterr().out


def test_a_folder_to_check_must_be_there(build, tmp_path, capsys):
    assert build("--check") == 2
    assert f"--check: expected a folder, found no {tmp_path / 'out'}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_missing_extra_is_named(build, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(corpora, "find_spec", lambda _: None)
    assert build() == 2
    assert "the packages of the extra 'train'" in capsys.readouterr().err
    (tmp_path / "out").mkdir()
    assert build("--check") == 1  # nothing is there, but no extra is needed to say so
    assert build("--list") == 0
    assert (
        "| recent/paper | b/paper, files | 1/0/0/0 | - | 1/0/0/0 | 1/0/0/0 |"
        in capsys.readouterr().out
    )


def test_the_disk_may_be_full(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StanceError, match="expected a download"):
        downloads.fetch(f"{server.url}/a/news/{COMMIT}/list.jsonl", tmp_path / "file" / "x")


def test_the_table_covers_the_layers_and_agrees_with_the_licences(root):
    table = sources.read_table(corpora.TABLE)
    names = [source.name for source in table.sources]
    assert len(set(names)) == len(names)
    assert not set(names) & set(table.unavailable)
    groups = corpora.group_rows(corpora.read_parts(root / "data"))
    assert set(groups) <= set(names) | set(table.unavailable)
    licences = read_licences(root / "data")
    for source in table.sources:
        assert re.fullmatch("[0-9a-f]{40}", source.commit)
        corpus, _, part = source.name.partition("/")
        stated = licences[corpus].get("sources", {}).get(part) if part else licences[corpus]
        assert stated is None or stated["licence"] == source.licence


def test_paths_come_from_the_row_ids(root):
    groups = corpora.group_rows(corpora.read_parts(root / "data"))
    for source in sources.read_table(corpora.TABLE).sources:
        paths = sources.list_paths(source, groups[source.name])
        assert paths
        assert not any("{" in path for path in paths)
        assert source.archive or not any("*" in path for path in paths)
    name = "recent/realtimeqa"
    (source,) = (s for s in sources.read_table(corpora.TABLE).sources if s.name == name)
    assert "past/*/20220613_gcs.jsonl" in sources.list_paths(source, groups[name])
