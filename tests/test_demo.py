"""The page to try the model, end to end in Chromium."""

import csv
import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import Error

from stance.cli import main
from stance.demo import find_articles, show_analysis, show_refusal
from stance.errors import InputError
from stance.model import load
from stance.types import ROWS

ARTICLE = (
    "Kyiv rejected talks with Moscow, the Kremlin said. President Ivan Orlov urged negotiations."
    "\n\nIt rained in the north."
)
HOSTILE = (
    "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\"> ${1} {{v}} "
)
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1200, "height": 900}
GUARD = """
import socket
connect = socket.socket.connect
def guarded(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        with open({log!r}, "a") as out:
            out.write(repr(address) + chr(10))
        raise OSError("no network")
    return connect(self, address)
socket.socket.connect = guarded
"""


def test_missing_extra_is_named(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr("stance.commands.demo.find_spec",
                        lambda name: None if name == "gradio" else find(name))  # fmt: skip
    assert main(["demo"]) == 2
    assert "negotiation-stance[demo]" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_wrong_port_is_refused(port, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["demo", "--port", port])
    assert "expected 1 to 65535" in capsys.readouterr().err


def test_articles_go_by_their_first_lines(root, tmp_path):
    titles = list(find_articles(root / "data" / "articles"))
    assert len(titles) == 5
    assert titles[3].startswith("US privately asks Ukraine")
    assert find_articles(tmp_path / "none") == {}


def test_whatever_an_article_holds_stays_inside_the_frame(tiny_model):
    analysis = load(tiny_model.folder).analyze(f"Kyiv rejected talks . {HOSTILE} \" ' </iframe> .")
    shown = show_analysis(analysis)
    assert re.fullmatch(r'<iframe title="[\w ]+" sandbox="" srcdoc="[^"<>]*"></iframe>', shown)
    error = InputError("article", expected="x", found="<b>", remedy="y")
    assert "&lt;b&gt;" in show_refusal(error)


@pytest.fixture(scope="module")
def address(root, tmp_path_factory):
    """Serve the released model in a process that may connect to nothing but itself."""
    folder = tmp_path_factory.mktemp("demo")
    log = folder / "connections.txt"
    (folder / "sitecustomize.py").write_text(GUARD.format(log=str(log)))
    port = 20_000 + os.getpid() % 20_000
    paths = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-m", "stance.cli", "demo", "--port", str(port)]
    server = subprocess.Popen(command, cwd=root, env=env, stderr=subprocess.PIPE)
    assert server.stderr.readline().decode().startswith(f"http://127.0.0.1:{port}")
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(20)
    assert not log.exists(), log.read_text()


@pytest.fixture
def view(browser, address, request):
    page = browser.new_page(viewport=getattr(request, "param", DESK), accept_downloads=True)
    page.complaints = []
    page.on("console", lambda m: page.complaints.extend([m.text] if m.type == "error" else []))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda call: page.complaints.extend(
        [] if call.url.startswith((address, "data:", "blob:")) else [call.url]
    ))  # fmt: skip
    for _ in range(60):  # the server listens a moment after it has said where
        try:
            page.goto(address)
            break
        except Error as error:
            if "REFUSED" not in str(error):
                raise
            page.wait_for_timeout(1000)
    page.complaints.clear()  # refused connections
    page.locator("#article textarea").wait_for()
    yield page
    assert page.complaints == []
    page.close()


def analyse(view, text):
    view.locator("#article textarea").fill(text)
    view.get_by_role("button", name="Analyse").click()
    return view.frame_locator("iframe")


def download(view, name):
    with view.expect_download() as found:
        view.get_by_text(name).click()
    return found.value.path().read_text(encoding="utf-8-sig")


@pytest.mark.browser
def test_paste_analyse_and_keep(view):
    page = analyse(view, ARTICLE)
    rows = page.locator("tbody tr")
    rows.first.wait_for()
    assert [rows.nth(i).locator("th").inner_text() for i in range(rows.count())] == [
        "Ukraine", "Ivan Orlov"
    ]  # fmt: skip
    assert "against" in page.locator("#s1").get_attribute("class")
    assert "favor" in page.locator("#s2").get_attribute("class")
    assert "according to “the Kremlin”" in page.locator("#d1").inner_html()
    table = list(csv.DictReader(download(view, "Statements (CSV)").splitlines()))
    assert tuple(table[0]) == ROWS
    assert [row["actor"] for row in table] == ["Ukraine", "Ivan Orlov", ""]
    whole = json.loads(download(view, "Analysis (JSON)"))
    assert [actor["label"] for actor in whole["actors"]] == ["against", "favor"]


@pytest.mark.browser
def test_pick_one_of_the_five(view):
    view.get_by_label("Pick an article").click()
    view.get_by_role("option").nth(3).click()
    view.wait_for_function(
        "document.querySelector('#article textarea').value.startsWith('US priv')"
    )
    view.get_by_role("button", name="Analyse").click()
    page = view.frame_locator("iframe")
    page.locator("tbody tr").first.wait_for()
    assert "reliable" in page.locator("p.legend").inner_text()
    assert page.locator("#s1 .tip").text_content().startswith("favor")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "blank text"),
        ("Talks failed. " * 150_000, "at most 1,000,000 characters"),  # 2 MB
        ("Der Kreml lehnt Verhandlungen mit der Ukraine weiter ab.", "language 'de'"),
        ("<html><body><p>Talks failed.</p></body></html>", "found HTML"),
    ],
    ids=["empty", "2 MB", "German", "HTML"],
)
def test_what_is_no_article_is_said(view, text, words):
    analyse(view, ARTICLE).locator("h1").wait_for()
    analyse(view, text)
    alert = view.get_by_role("alert").filter(has_text="Not analysed")
    alert.wait_for()
    assert words in alert.inner_text()
    assert view.locator("iframe").count() == 0
    view.get_by_text("Statements (CSV)").wait_for(state="hidden")


@pytest.mark.browser
def test_hostile_text_is_only_text(view):
    page = analyse(view, ARTICLE + "\n" + HOSTILE + "was said of talks.")
    page.locator("h1").wait_for()
    assert HOSTILE.strip() in " ".join(page.locator("article").inner_text().split())
    assert page.locator("article script, article img").count() == 0
    assert view.title() == "Stance toward negotiations"


@pytest.mark.browser
@pytest.mark.parametrize("view", [PHONE], indirect=True)
def test_phone_width(view):
    page = analyse(view, ARTICLE + " " + "x" * 500)
    page.locator("h1").wait_for()
    assert view.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    inside = view.frames[1]
    assert inside.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.browser
def test_keyboard_alone(view):
    view.locator("#article textarea").focus()
    view.keyboard.insert_text(ARTICLE)
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.textContent.trim()") == "Analyse"
    view.keyboard.press("Enter")
    page = view.frame_locator("iframe")
    page.locator("h1").wait_for()
    tips = page.locator(".tip")
    for _ in range(8):
        view.keyboard.press("Tab")
        if tips.nth(1).is_visible():
            break
    assert tips.nth(1).is_visible()
    assert "favor" in tips.nth(1).inner_text()
