"""The page of ``stance analyze --format html`` as a browser shows it."""

import pytest

from stance.report.analysis import render
from stance.types import LABELS, Actor, Analysis, Prediction, Span, Statement

TEXT = (
    "Envoy Orlov wants talks\n\nKyiv rejected talks, Moscow said. Moscow would talk if Kyiv left. "
    "It rained.\n\nLeave a Reply <script>document.title = 'x'</script>"
)
SIZES = {"phone": {"width": 390, "height": 800}, "desk": {"width": 1200, "height": 900}}


def make_analysis() -> Analysis:
    pieces = ("Envoy Orlov wants talks", "Kyiv rejected talks, Moscow said.",
              "Moscow would talk if Kyiv left.", "It rained.", TEXT.split("\n\n")[-1])  # fmt: skip
    labels = ("favor", "against", "conditional", "neutral", "neutral")
    spans = ((6, 11), (0, 4), (0, 6), None, None)
    statements = []
    for i, (piece, label, span) in enumerate(zip(pieces, labels, spans, strict=True)):
        scores = {name: 0.85 if name == label else 0.05 for name in LABELS}
        source = Span(22, 28, "Moscow") if label == "against" else None
        holder = Span(*span, piece[slice(*span)]) if span else None
        start = TEXT.index(piece)
        statements.append(Statement(
            start, start + len(piece), "furniture" if i == 4 else "article",
            Prediction(piece, label, scores, 0.85, label != "conditional", holder, source, False),
        ))  # fmt: skip
    actors = (
        Actor("Orlov", ("Orlov",), "favor", 0.85, (0,), ("own words",)),
        Actor("Ukraine", ("Kyiv",), "against", 0.85, (1,), ("Russia",)),
        Actor("Russia", ("Moscow",), "conditional", 0.85, (2,), ("own words",)),
    )
    return Analysis("article.txt", TEXT, tuple(statements), actors)


@pytest.fixture(params=SIZES.values(), ids=SIZES)
def view(browser, tmp_path, request):
    path = tmp_path / "page.html"
    path.write_text(render(make_analysis()), encoding="utf-8")
    page = browser.new_page(viewport=request.param, offline=True)
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda call: page.complaints.extend(
        [] if call.url.startswith("file:") else [call.url]
    ))  # fmt: skip
    page.goto(path.as_uri())
    yield page
    assert page.complaints == []
    page.close()


@pytest.mark.browser
def test_article_and_actors_stand_on_the_page(view):
    width = view.viewport_size["width"]
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert view.title() == "article.txt: stance toward negotiations"
    told = view.locator("body").aria_snapshot()
    for words in ('table "Actors"', "rowheader", "cell", "Ukraine", 'link "statement 2"'):
        assert words in told
    rows = view.locator("tbody tr")
    assert rows.count() == 3
    assert "against" in rows.nth(1).inner_text()
    shown = view.evaluate("""() => {
        const article = document.querySelector('article').cloneNode(true);
        article.querySelectorAll('.hidden, .mark, .tip').forEach(node => node.remove());
        return [...article.querySelectorAll('p')].map(node => node.textContent);
    }""")
    assert shown == TEXT.split("\n\n")
    view.get_by_role("link", name="statement 2").click()
    assert view.evaluate("document.querySelector(':target').textContent").startswith("2")


@pytest.mark.browser
def test_no_stance_is_told_by_colour_alone(view):
    for number, label in ((1, "favor"), (2, "against"), (3, "conditional")):
        statement = view.locator(f"#s{number}")
        assert statement.locator(".hidden").inner_text().strip() == f"{label}:"
        assert statement.locator(".mark").inner_text().strip(f"{number}") in ("+", "−", "?")
    sure, unsure = (view.evaluate(
        f"getComputedStyle(document.querySelector('#s{i} .mark'), '::after').content"
    ) for i in (1, 3))  # fmt: skip
    assert (sure, unsure) == ("none", '"~"')
    styles = {view.evaluate(f"getComputedStyle(document.getElementById('s{i}')).borderBottomStyle")
              for i in (1, 2, 3)}  # fmt: skip
    assert len(styles) == 3


@pytest.mark.browser
def test_letters_have_contrast(view):
    """WCAG 2 asks for 4.5; what is measured is each kind of text against its background."""
    ratios = view.evaluate("""() => {
        const part = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
        const read = text => text.match(/[\\d.]+/g).map(Number);
        const behind = node => {
            for (; node; node = node.parentElement) {
                const found = read(getComputedStyle(node).backgroundColor);
                if (found.length < 4 || found[3] > 0) return found;
            }
            return [255, 255, 255];
        };
        return [...document.querySelectorAll('p, td, th, li span, a, .s, .mark, .tip, footer')]
            .map(node => [light(read(getComputedStyle(node).color)), light(behind(node))])
            .map(([a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
    }""")
    assert len(ratios) > 20
    assert min(ratios) >= 4.5


@pytest.mark.browser
def test_scores_show_on_focus_and_on_hover(view):
    tips = view.locator(".tip")
    assert not any(tips.nth(i).is_visible() for i in range(tips.count()))
    reached = []
    for _ in range(8):
        view.keyboard.press("Tab")
        shown = [tips.nth(i).inner_text() for i in range(tips.count()) if tips.nth(i).is_visible()]
        reached += shown
        assert len(shown) <= 1
    assert len(reached) == 4  # every statement but page furniture
    assert reached[1].startswith("against (85%): favor 5%, conditional 5%, against 85%")
    assert "according to “Moscow”" in reached[1]
    assert "not reliable" in reached[2]
    view.evaluate("document.activeElement.blur()")
    view.locator("#s1").hover()
    assert tips.first.is_visible()
    box = tips.first.bounding_box()
    assert box["y"] + box["height"] <= view.viewport_size["height"] + 1
