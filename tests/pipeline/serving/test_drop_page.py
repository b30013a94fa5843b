"""The page to drop images on, in a real browser: what it shows, to whom, and what it must not run or load."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx
import numpy as np
import pytest
from browser import needs_browser, show
from running_service import Running, running, write_model
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from waiting import until

from components.images.codec import encode

BRIGHT = encode(np.full((20, 30, 3), 250, np.uint8), "png")
HOSTILE = "<img src=x onerror=alert(1)>.png"
_DROP = """
const files = new DataTransfer();
for (const [name, bytes] of arguments[0]) files.items.add(new File([new Uint8Array(bytes)], name));
document.querySelector("main").dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true}));
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    place = tmp_path_factory.mktemp("models")
    write_model(place / "7", ("<script>alert(1)</script>", "bright"))
    with running(place) as run:
        yield run


def text(browser: webdriver.Chrome, selector: str) -> str:
    return str(browser.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector))


def chosen(browser: webdriver.Chrome, file: Path) -> None:
    browser.find_element(By.ID, "files").send_keys(str(file))


@needs_browser
def test_a_chosen_image_is_answered_with_each_class(
    browser: webdriver.Chrome, service: Running, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(BRIGHT)
    show(browser, service.url, 1000)
    chosen(browser, tmp_path / "a.png")

    until(lambda: browser.find_elements(By.CSS_SELECTOR, "article.shown img"))
    assert text(browser, "article h2") == "a.png"
    assert text(browser, "article p") == "bright, 98.0 %"
    rows = [line.split("\t")[:2] for line in text(browser, "article tbody").splitlines() if line]
    assert rows == [["bright", "98.0 %"], ["<script>alert(1)</script>", "2.0 %"]]
    assert browser.find_element(By.ID, "spoken").get_attribute("textContent") == "a.png: bright, 98.0 %"
    assert browser.get_log("browser") == []


@needs_browser
def test_dropped_images_are_answered_and_what_is_none_is_told_why(browser: webdriver.Chrome, service: Running) -> None:
    show(browser, service.url, 1000)
    browser.execute_script(_DROP, [("b.png", list(BRIGHT)), (HOSTILE, list(b"hello"))])

    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "article h2 + p:not(:empty)")) == 2)
    until(lambda: text(browser, "article .bad"))
    assert text(browser, "article .bad") == f"{HOSTILE}: not an image that can be read"
    assert text(browser, "article h2") == HOSTILE
    assert browser.find_elements(By.CSS_SELECTOR, "img[src=x]") == []


@needs_browser
def test_the_page_asks_nobody_but_the_server(browser: webdriver.Chrome, service: Running, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(BRIGHT)
    show(browser, service.url, 1000)
    chosen(browser, tmp_path / "a.png")
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "article.shown"))

    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [
        f"{service.url}/",
        f"{service.url}/predict",
    ]


@needs_browser
def test_it_can_be_used_by_keyboard(browser: webdriver.Chrome, service: Running) -> None:
    show(browser, service.url, 1000)
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)

    assert browser.switch_to.active_element.get_attribute("id") == "files"


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1200])
def test_axe_finds_nothing_and_nothing_overflows(
    browser: webdriver.Chrome, service: Running, dark: bool, width: int, tmp_path: Path
) -> None:
    show(browser, service.url, width, dark)
    browser.execute_script(_DROP, [("a.png", list(BRIGHT)), (f"{'long' * 40}.png", list(b"hello"))])
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "article.shown"))
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "article .bad"))
    browser.execute_script((files("axe_core_python") / "axe.min.js").read_text("utf-8"))

    violations = browser.execute_async_script("axe.run().then(arguments[0])")["violations"]

    assert [(v["id"], v["nodes"][0]["target"], v["nodes"][0].get("failureSummary")) for v in violations] == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_page_may_run_nothing_but_its_own_script(service: Running) -> None:
    headers = httpx.get(service.url).headers

    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"].startswith("'sha256-")
    assert policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_without_its_script_the_form_is_answered_all_the_same(service: Running) -> None:
    page = httpx.get(service.url).text
    assert '<form action="predict" method="post" enctype="multipart/form-data">' in page
    assert 'name="file" type="file"' in page

    assert httpx.post(f"{service.url}/predict", files=[("file", ("a.png", BRIGHT))]).status_code == 200
