"""LiteLLM's Admin UI in a real Chromium, with a database: a login, and no default password."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from gateway import Gateway
from reconciler import MASTER_KEY

pytestmark = pytest.mark.slow


@pytest.fixture
def page() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium")
    if not program:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser.new_page()
        browser.close()


def logged_in(page: Any, url: str, password: str) -> bool:
    page.goto(f"{url}/ui/login/", wait_until="networkidle")
    page.get_by_placeholder("username").fill("admin")
    page.get_by_placeholder("password").fill(password)
    page.locator("button[type=submit]").click()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2000)
    return any(each["name"] == "token" for each in page.context.cookies())


@pytest.mark.parametrize("password", ["", "admin", "sk-1234"])
def test_no_default_password_opens_it(live: Gateway, page: Any, password: str):
    assert not logged_in(page, f"http://127.0.0.1:{live.port}", password or " ")


def test_the_master_key_opens_it(live: Gateway, page: Any):
    assert logged_in(page, f"http://127.0.0.1:{live.port}", MASTER_KEY)
