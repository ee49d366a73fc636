"""The built site in a real Chromium: what a person sees, on a phone and on a desk."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from program import ROOT

pytestmark = pytest.mark.slow
SECRET = "sk-proj-Abcdefghij0123456789klmnopqrst"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site, built by its one command and served as any static host would."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("site") / "out"
    subprocess.run([sys.executable, ROOT / "tools" / "build_site.py", folder], check=True)
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if not program:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=program, args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def page(address: str, browser: Any) -> Iterator[Any]:
    """The playground, ready, with every request that it made and every error that it had."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on(
        "console",
        lambda message: page.errors.append(message.text) if message.type == "error" else None,
    )
    page.goto(f"{address}/playground/index.html")
    page.wait_for_selector("#findings li", timeout=120_000)
    yield page
    assert page.errors == []
    page.close()


def checked(page: Any, text: str) -> str:
    """Write a configuration, and wait for the summary of what is found in it."""
    page.fill("#source", text)
    page.wait_for_selector("#findings[aria-busy=false]")
    return str(page.inner_text("#status"))


def test_it_shows_findings_with_carets_and_fixes_them(page: Any) -> None:
    text = (
        "model_list:\n- model_name: a\n  litellm_params: {model: opnai/gpt-4o}\n"
        "litellm_settings:\n  routing_strategy: least-busy\n"
        "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n"
    )
    assert checked(page, text) == "1 file: 1 error, 1 warning"
    first = page.locator("#findings li").first.inner_text()
    assert "config.yaml:3:27: error[NX402]" in first
    assert "^^^^^^^^^^^^" in first
    page.get_by_role("button", name="Fix 1").click()
    page.wait_for_function("() => document.getElementById('source').value.includes('router_')")
    page.get_by_role("button", name="Fix with guesses").click()
    page.wait_for_function("() => document.getElementById('source').value.includes('openai/')")
    page.wait_for_function(
        "() => document.getElementById('status').textContent === '1 file: no problems'"
    )


def test_a_shape_that_makes_no_sense_is_explained_without_rpds(page: Any) -> None:
    assert "error" in checked(page, "model_list: 3\n")
    assert "model_list must be a list" in page.inner_text("#findings")


def test_what_is_pasted_is_text_and_stays_here(page: Any, address: str) -> None:
    before = len(page.asked)
    text = (
        "model_list:\n- model_name: '<img src=x onerror=alert(1)>'\n"
        f"  litellm_params: {{model: openai/<b>x, api_key: {SECRET}}}\n"
    )
    page.fill("#source", text)
    page.wait_for_function("() => document.getElementById('findings').innerText.includes('NX302')")
    assert page.locator("#findings img, #findings b").count() == 0
    assert SECRET not in page.inner_text("#findings")
    assert page.asked[before:] == []
    assert all(url.startswith((address, "data:", "blob:")) for url in page.asked)


def test_it_works_without_a_network_once_it_is_there(page: Any) -> None:
    page.context.set_offline(True)
    try:
        assert "note" in checked(page, "model_list: []\n")
    finally:
        page.context.set_offline(False)


def test_another_release_is_another_judge(page: Any) -> None:
    options = page.locator("#release option").all_inner_texts()
    assert len(options) > 5
    page.select_option("#release", options[-1])
    checked(page, "router_settings: {nonsense: 1}\n")
    assert f"LiteLLM {options[-1]}" in page.inner_text("#findings")
    page.select_option("#release", options[0])


def test_the_keyboard_is_enough(page: Any) -> None:
    checked(page, "modl_list: []\n")
    page.focus("#source")
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
    assert any(each.startswith("Fix") for each in reached)
    assert any(each.startswith("Go to line") for each in reached)
    page.get_by_role("button", name="Go to line 1").first.press("Enter")
    selected = page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]")
    assert selected[0] == "source"
    assert page.get_by_label("config.yaml").count() == 1
    assert page.get_by_role("status").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_has_contrast(page: Any, width: int, scheme: str, tmp_path: Path) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.select_option("#release", index=0)
    checked(page, "modl_list: []\nrouter_settings: {x: 1}\n")
    page.screenshot(
        path=os.environ.get("NIXCFG_SCREENSHOTS", str(tmp_path)) + f"/{width}-{scheme}.png"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    worst = page.evaluate(CONTRAST)
    assert worst[0] >= 4.5, worst


CONTRAST = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (color) => {
    const [r, g, b] = numbers(color).map((each) => {
      const part = each / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (!/rgba\\(.*, 0\\)/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  let worst = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.offsetParent) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, element.outerHTML.slice(0, 80)];
  }
  return worst;
}"""


def test_the_pages_have_rules_and_a_search_and_ask_no_one_else(address: str, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/rules/NX402/")
    assert "NX402" in page.inner_text("h1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{address}/")
    page.locator("input[name=query]").click()
    page.keyboard.type("num_retries")
    page.wait_for_selector(".md-search-result__item", timeout=60_000)
    page.goto(f"{address}/playground/")
    page.wait_for_selector("#source")
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)
    page.close()
