"""One browser for all tests of the report."""

from collections.abc import Iterator

import pytest
from browser import start
from selenium import webdriver


@pytest.fixture(scope="session")
def browser() -> Iterator[webdriver.Chrome]:
    driver = start()
    yield driver
    driver.quit()
