"""Finding one's way in the report, with a mouse, a finger or the keyboard, and copying the names of its pictures."""

from pathlib import Path

import pytest
from browser import needs_browser, show
from report_artifacts import facts, make_artifacts
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from waiting import until

from components.report.content import gather
from components.report.render import render

_GRAPH = {"ImageIngest": [], "Trainer": ["ImageIngest"]}
_LONG = f"{'long ' * 12}name"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    uris = make_artifacts(tmp_path_factory.mktemp("artifacts"), ["anger", "שמח מאוד", _LONG])
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(render(gather(uris, {"seed": 0}, _GRAPH, facts())), "utf-8")
    return path


@needs_browser
def test_the_contents_name_each_heading_and_lead_there(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 1200)

    links = browser.find_elements(By.CSS_SELECTOR, "nav a")
    headings = browser.find_elements(By.CSS_SELECTOR, "h2, h3")
    assert [link.text for link in links] == [heading.text for heading in headings]
    assert [(link.get_attribute("href") or "").partition("#")[2] for link in links] == [
        heading.get_attribute("id") for heading in headings
    ]


@needs_browser
def test_the_contents_stay_beside_a_wide_page_and_show_where_the_reader_is(
    browser: webdriver.Chrome, page: Path
) -> None:
    show(browser, page, 1200)

    link = browser.find_element(By.LINK_TEXT, "Calibration")
    link.click()
    until(lambda: link.get_attribute("aria-current") == "location")

    assert len(browser.find_elements(By.CSS_SELECTOR, "nav [aria-current]")) == 1
    assert browser.execute_script("return scrollY") > 1000
    assert 0 <= top(browser, "nav") < 10
    assert 0 <= top(browser, "#h-evaluation-calibration") < 100


@needs_browser
def test_a_narrow_pages_contents_open_from_a_bar_that_stays_and_close_again(
    browser: webdriver.Chrome, page: Path
) -> None:
    show(browser, page, 390)
    browser.execute_script("scrollTo(0, 2000)")
    nav, button = browser.find_element(By.TAG_NAME, "nav"), browser.find_element(By.CSS_SELECTOR, ".topbar button")
    assert not nav.is_displayed()

    button.send_keys(Keys.ENTER)
    assert nav.is_displayed()
    button.send_keys(Keys.ESCAPE)
    assert not nav.is_displayed()
    button.click()
    nav.find_element(By.LINK_TEXT, "Calibration").click()

    assert not nav.is_displayed()
    bar = browser.execute_script("return document.querySelector('.topbar').getBoundingClientRect().bottom")
    until(lambda: bar <= top(browser, "#h-evaluation-calibration") < bar + 60)


@needs_browser
@pytest.mark.parametrize("width", [390, 1200])
def test_each_pictures_file_name_can_be_seen_and_copied(browser: webdriver.Chrome, page: Path, width: int) -> None:
    show(browser, page, width)
    browser.execute_script("document.getElementById('confusions').open = true")

    for place in (".gallery", ".sheet", ".cell"):
        pictures = browser.find_elements(By.CSS_SELECTOR, f"{place} .picture:has(figcaption .file)")
        assert pictures
        names = [picture.find_element(By.CSS_SELECTOR, ".file") for picture in pictures]
        short = next(name for name in names if name.is_displayed())
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", short)
        short.click()
        copied = browser.execute_script("return getSelection().toString()")
        assert copied == short.get_attribute("textContent")
        assert "/" in copied
        assert copied.split("/")[1] in ("anger", "שמח מאוד")


@needs_browser
def test_a_long_file_name_unfolds_by_the_keyboard(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 390)
    fold = browser.find_element(By.CSS_SELECTOR, ".gallery > li > .picture details.name")
    name = fold.find_element(By.CSS_SELECTOR, ".file")
    assert not name.is_displayed()

    fold.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)

    assert name.is_displayed()
    assert f"/{_LONG}/" in name.text


@needs_browser
def test_tables_and_charts_take_the_width_they_have(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 1600)

    empty = browser.execute_script(
        """const wide = [];
           for (const table of document.querySelectorAll("table:not(.matrix)")) {
             const room = table.closest(".scroll").clientWidth;
             if (room && table.offsetWidth < room - 1) wide.push(table.caption.textContent);
           }
           for (const svg of document.querySelectorAll(".grid svg"))
             if (svg.clientWidth < svg.closest(".grid").clientWidth / 2 - 40) wide.push(svg.ariaLabel);
           return wide"""
    )

    assert empty == []


def top(browser: webdriver.Chrome, selector: str) -> float:
    place = browser.execute_script("return document.querySelector(arguments[0]).getBoundingClientRect().top", selector)
    return float(place)
