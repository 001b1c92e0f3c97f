"""A page to try the model: an article in, the analysis as the report shows it, files to keep.

The analysis page is shown as it is, in a frame without scripts, so that nothing an article holds
can act. The page needs no network: no telemetry, no fonts, no addresses but its own.
"""

import csv
import json
import os
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from stance.errors import InputError
from stance.report.analysis import render
from stance.types import ROWS, Analysis

SILENT = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""Set before gradio is imported: it reports to nobody."""

Analyze = Callable[[str], Analysis]

TITLE = "Stance toward negotiations"
INTRO = """# Stance toward negotiations
Paste a news article in English. Its statements are coloured by the position on negotiations that
they take, and the table says who stands where, according to whom. Nothing leaves this machine."""
CSS = """
footer { display: none !important; }
.analysis iframe { width: 100%; height: 80vh; border: 1px solid #8a8a8a; border-radius: 4px;
  background: #fff; }
.refusal { border-left: 4px solid #a3231a; padding: .5rem 1rem; overflow-wrap: anywhere; }
"""


def find_articles(folder: Path) -> dict[str, str]:
    """Return the articles of a folder by their first lines; none where there is no such folder."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]
    return {text.strip().split("\n")[0]: text for text in texts if text.strip()}


def show_analysis(analysis: Analysis) -> str:
    """Return the analysis page in a frame of its own: no scripts, no forms, no way out."""
    return (f'<iframe title="Analysis of the article" sandbox="" '
            f'srcdoc="{escape(render(analysis))}"></iframe>')  # fmt: skip


def show_refusal(error: InputError) -> str:
    """Say why a text was not analysed."""
    words = f"Not analysed: expected {error.expected}, found {error.found}. {error.remedy}"
    return f'<p class="refusal" role="alert">{escape(words)}</p>'


def write_files(analysis: Analysis) -> list[str]:
    """Write the analysis as CSV, a row a statement, and as JSON; return their paths."""
    folder = Path(tempfile.mkdtemp(prefix="stance-", dir=os.environ["GRADIO_TEMP_DIR"]))
    with (folder / "statements.csv").open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, ROWS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(analysis.to_rows())
    content = json.dumps(analysis.to_dict(), ensure_ascii=False, indent=1)
    (folder / "analysis.json").write_text(content + "\n", encoding="utf-8")
    return [str(folder / "statements.csv"), str(folder / "analysis.json")]


def build_page(analyze: Analyze, articles: dict[str, str]) -> Any:
    """Return the page, a ``gradio.Blocks``.

    Args:
        analyze: text in, analysis out.
        articles: texts to pick from, by title.
    """
    import gradio

    def answer(text: str) -> tuple[Any, ...]:
        try:
            analysis = analyze(text)
        except InputError as error:
            hidden = gradio.DownloadButton(visible=False)
            return show_refusal(error), hidden, hidden
        paths = write_files(analysis)
        return show_analysis(analysis), *(
            gradio.DownloadButton(value=path, visible=True) for path in paths
        )

    # Files that were made for a visitor are deleted after an hour.
    with gradio.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gradio.Markdown(INTRO)
        picked = gradio.Dropdown(
            list(articles), value=None, label="Pick an article", visible=bool(articles)
        )
        text = gradio.Textbox(label="Article", lines=10, max_lines=20, elem_id="article")
        button = gradio.Button("Analyse", variant="primary")
        shown = gradio.HTML(elem_classes=["analysis"], js_on_load=None)
        with gradio.Row():
            rows = gradio.DownloadButton("Statements (CSV)", visible=False)
            whole = gradio.DownloadButton("Analysis (JSON)", visible=False)
        picked.change(lambda title: articles.get(title, ""), picked, text, api_visibility="private")
        button.click(answer, text, [shown, rows, whole], api_visibility="private")
    return page


def serve(analyze: Analyze, articles: dict[str, str], *, host: str, port: int) -> None:
    """Serve the page until interrupted.

    Raises:
        OSError: the port is taken.
    """
    with tempfile.TemporaryDirectory(prefix="stance-demo-") as folder:
        os.environ.update(SILENT, GRADIO_TEMP_DIR=folder)
        page = build_page(analyze, articles)
        page.launch(
            server_name=host, server_port=port, share=False, quiet=True, css=CSS, ssr_mode=False,
            theme=build_theme(), footer_links=[], show_error=True, enable_monitoring=False,
            run_history=False, pwa=False, mcp_server=False, max_file_size="1kb",
        )  # fmt: skip


def build_theme() -> Any:
    """Return the stock theme in the reader's own fonts, so that none is fetched.

    The button is dark enough for its white letters (contrast above 4.5).
    """
    import gradio

    theme = gradio.themes.Default(
        primary_hue="blue", font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )  # fmt: skip
    return theme.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
    )
