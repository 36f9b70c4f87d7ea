"""The report of `snapferry coverage --html` in a browser: Debian's Chromium, headless.

With SNAPFERRY_SCREENSHOT=FILE the picture that README.md shows is written there.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.cli.vault import HOME, NOW, REGIONS, SOURCE, coverage, fleet, policy, shared
from tests.cloud import LocalAws

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed (on Debian: apt-get install chromium)"
)

# Nothing of the browser's own asks the network.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "nightly </script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"
# From a key to everything drawn anew, at 5,000 rows; some 50 ms on an idle machine, and this one may be loaded.
RESPONSIVE_MS = 1_000
# 277 mm, at CSS's 96 pixels an inch.
PAPER_PX = 1_047
FINDING = "vol-0000000000000ffff"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 volumes, three weeks, three Regions: some 5,000 rows; and one snapshot whose owner is up to no good."""
    path = tmp_path_factory.mktemp("coverage")
    written = path / "coverage.html"
    with LocalAws() as aws:
        aws.control.create_snapshots(fleet(volumes=80, days=21))
        aws.control.create_snapshots([shared(0xFFFF, NOW, volume=0xFFFF, description=HOSTILE)])
        done = coverage(aws, policy(path, REGIONS), "--html", written)
    assert (done.code, done.err) == (1, "")
    return written


def page_count(page: Page, written: Path) -> int:
    """How many pages of paper it takes."""
    page.pdf(path=written, prefer_css_page_size=True)
    return len(re.findall(rb"/Type /Page\b", written.read_bytes()))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The report as opened from disk. Whatever a test is about: the console stays empty, and nothing is fetched."""
    opened = browser.new_page(viewport={"width": 1360, "height": 1500})
    said: list[str] = []
    fetched: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: fetched.append(request.url))
    opened.goto(report.as_uri())
    yield opened
    assert said == []
    assert fetched == [report.as_uri()]
    assert opened.evaluate("window.broken") is None
    opened.close()


def count(page: Page) -> int:
    """How many rows are shown, once the page is drawn."""
    page.evaluate("() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done))))")
    text = page.inner_text("#count")
    return int(text.split(" of ")[0].replace(",", ""))


def cells(page: Page, column: int) -> set[str]:
    """The distinct texts of a column of the table, once that is drawn."""
    count(page)
    return set(page.locator(f"#rows tbody td:nth-child({column})").all_inner_texts())


def test_what_is_wrong_is_said_first(page: Page) -> None:
    """The verdict, then the findings, the owner's text as text."""
    assert re.search(r"\d+ missing, \d+ failed", page.inner_text(".verdict"))
    headings = page.locator("h2").all_inner_texts()
    assert headings == [
        "Findings",
        "By policy and Region",
        "Volumes by day",
        "Recoverable",
        "Time to protect",
        "Expiry timeline",
        "All rows",
    ]
    assert HOSTILE in page.inner_text("#findings")
    assert page.locator("#findings img, #rows img").count() == 0


def test_filters_and_search(page: Page) -> None:
    """Each filter by itself and together, and back."""
    everything = count(page)
    assert everything > 5_000
    page.select_option("#f-state", "failed")
    assert 0 < count(page) < 100
    assert cells(page, 1) == {"failed"}
    page.select_option("#f-region", REGIONS[1])
    assert cells(page, 8) == {REGIONS[1]}
    page.select_option("#f-account", SOURCE)
    page.select_option("#f-policy", "default")
    assert 0 < count(page) < 50
    page.click("#clear")
    assert count(page) == everything
    page.fill("#q", f"{FINDING} weekly")
    assert count(page) == 0
    page.fill("#q", FINDING.upper())
    assert count(page) == len(REGIONS)
    assert cells(page, 3) == {FINDING}
    assert page.locator("#matrix td.missing").count() == 1
    page.fill("#q", "")
    page.select_option("#f-state", "history")
    assert cells(page, 1) == {"history"}
    assert page.locator("#matrix td.history").count() > 0


def test_a_volume_of_the_matrix_narrows_everything(page: Page) -> None:
    page.locator("#matrix tbody button").nth(1).click()
    assert len(cells(page, 3)) == 1
    assert page.locator("#matrix tbody tr").count() == 1


def test_5_000_rows_stay_responsive(page: Page) -> None:
    """From a key to all of it drawn anew."""
    measured = page.evaluate(
        """async () => {
            const field = document.getElementById("q"), times = [];
            for (const text of ["v", "vo", "vol", "vol-0", "snap", "nightly 1", "nothing like it", ""]) {
                const before = document.documentElement.dataset.drawn, began = performance.now();
                field.value = text;
                field.dispatchEvent(new Event("input", { bubbles: true }));
                while (document.documentElement.dataset.drawn === before) await new Promise((done) => setTimeout(done));
                times.push(performance.now() - began);
            }
            return times;
        }"""
    )
    print(f"\nkeystroke to render at 5,000 rows: at most {max(measured):.0f} ms")
    assert max(measured) < RESPONSIVE_MS


def test_pages_of_the_table(page: Page) -> None:
    first = page.inner_text("#rows tbody tr:first-child")
    assert page.locator("#rows tbody tr").count() == 100
    assert page.is_disabled("#back")
    page.click("#on")
    assert page.inner_text("#rows-at").startswith("Page 2 of")
    assert page.inner_text("#rows tbody tr:first-child") != first
    page.click("#last")
    assert page.is_disabled("#on")


def test_by_keyboard(page: Page) -> None:
    """The skip link, the fields with their labels, a filter and a page, without a mouse."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#summary-title").scroll_into_view_if_needed()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "q":
            break
    page.keyboard.type(FINDING)
    assert count(page) == len(REGIONS)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "f-state"
    page.keyboard.type("pro")
    assert count(page) == 0
    unlabelled = page.evaluate(
        "[...document.querySelectorAll('input, select')].filter((field) => field.labels.length === 0).length"
    )
    assert unlabelled == 0
    assert page.evaluate("[...document.querySelectorAll('thead th')].every((cell) => cell.scope === 'col')")
    assert page.evaluate("[...document.querySelectorAll('svg')].every((svg) => svg.getAttribute('aria-label'))")


def test_points_to_restore_from(page: Page) -> None:
    """The newest of a volume, and the newest before a chosen time; what cannot be restored is first."""
    everything = page.inner_text("#points-at")
    assert re.search(r"^Page 1 of \d+; \d+ of \d+ have no point$", everything)
    volume = f"vol-{7:017x}"
    page.fill("#q", volume)
    count(page)
    lines = page.locator("#points tbody tr")
    assert lines.count() == len(REGIONS)
    newest = lines.first.locator("td").all_inner_texts()
    assert (newest[0], newest[1], newest[5], len(newest)) == (volume, SOURCE, "metadata", 7)
    assert not page.locator("#points th.before").first.is_visible()
    before = datetime.fromisoformat(f"{newest[4]}+00:00") - timedelta(days=3)
    page.fill("#before", before.strftime("%Y-%m-%dT%H:%M:%S"))
    count(page)
    assert page.locator("#points th.before").first.is_visible()
    shown = [line.locator("td").all_inner_texts() for line in lines.all()]
    assert all(cells[8] < before.strftime("%Y-%m-%d %H:%M") for cells in shown)
    assert all(cells[8] < cells[4] for cells in shown)
    page.fill("#before", "2020-01-01T00:00:00")
    count(page)
    assert page.inner_text("#points-at") == "Page 1 of 1; 3 of 3 have no point before 2020-01-01 00:00"
    assert lines.first.locator("td").last.inner_text() == "no point"
    page.fill("#before", "")
    page.click("#clear")
    count(page)
    assert page.inner_text("#points-at") == everything
    page.click("#points-on")
    assert page.inner_text("#points-at").startswith("Page 2 of")
    page.click("#points-back")
    assert page.inner_text("#points-at") == everything


def test_light_and_dark(page: Page) -> None:
    """The ground is light or dark, and what stands on it differs from it enough (WCAG 2.2, 1.4.3: 4.5 to 1)."""
    contrast = """() => {
        const light = (colour) => {
            const [r, g, b] = colour.match(/[0-9.]+/g).map((part) => part / 255)
                .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const worst = [...document.querySelectorAll(".state, .key, .verdict")].map((one) => {
            const style = getComputedStyle(one), a = light(style.color), b = light(style.backgroundColor);
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        });
        return [light(getComputedStyle(document.body).backgroundColor), Math.min(...worst)];
    }"""
    page.emulate_media(color_scheme="light")
    ground, worst = page.evaluate(contrast)
    assert ground > 0.8
    assert worst >= 4.5
    page.emulate_media(color_scheme="dark")
    ground, worst = page.evaluate(contrast)
    assert ground < 0.1
    assert worst >= 4.5


def test_it_prints(page: Page, report: Path) -> None:
    """As wide as A4 laid across within its margins, a state on one line, and the rows on few pages."""
    page.set_viewport_size({"width": PAPER_PX, "height": 1500})
    page.emulate_media(media="print")
    count(page)
    assert not page.is_visible("#filters")
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER_PX
    lines = "(all) => all.map((one) => one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).fontSize))"
    for within in (".state", "#rows code"):
        assert max(page.locator(within).evaluate_all(lines)) < 2, within
    printed = report.with_suffix(".pdf")
    before = page_count(page, printed)
    page.evaluate("document.querySelector('#rows tbody').replaceChildren()")
    assert 0 < before - page_count(page, printed) <= 5


def test_without_scripts(browser: Browser, report: Path) -> None:
    """The summary and the findings are there, and what needs scripts is said and hidden."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert FINDING in page.inner_text("#findings")
    assert page.locator("#summary-title").is_visible()
    assert not page.is_visible("#app")
    assert "need JavaScript" in page.inner_text("main")
    context.close()


def test_nothing_in_the_file_leads_out(report: Path) -> None:
    """No address, no event handler, one policy that allows nothing but the page's own style and script."""
    text = report.read_text()
    assert not re.search(r"<(link|img|iframe|object|embed|base|form [^>]*action)", text)
    assert not re.search(r"\son[a-z]+=\"", text)
    allowed = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert allowed is not None
    assert allowed[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in allowed[1]
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert len(json.loads(data[1])["rows"]) > 5_000
    assert HOME in text


def test_screenshot(page: Page, tmp_path: Path) -> None:
    """The picture in the README: no larger than a page should load."""
    written = Path(os.environ.get("SNAPFERRY_SCREENSHOT") or tmp_path / "coverage.png")
    # The findings are many: the picture shows some of them.
    page.evaluate("document.querySelector('#findings .scroll').style.cssText = 'max-height: 13rem; overflow: hidden'")
    page.screenshot(path=written, clip={"x": 0, "y": 0, "width": 1360, "height": 1480})
    assert 20_000 < written.stat().st_size < 300_000
