"""Accessibility of a page in a real browser, checked by axe-core against WCAG 2.2 AA."""

import json
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_OPTIONS: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


def assert_accessible(page: Page) -> None:
    """Nothing on `page`, as it is shown now, breaks a rule; else each break with its place.

    The page's context must have scripts enabled, or axe-core would wait forever.
    """
    # Axe.run hands the whole library back from the browser, which takes half a minute.
    page.evaluate(f"() => {{ {Axe().axe_script}\n }}")
    found = page.evaluate(f"async () => (await axe.run({json.dumps(_OPTIONS)})).violations")
    broken = [
        f"{rule['id']} ({rule['help']}): {node['target']}\n  {node['html']}\n"
        f"  {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]
    assert not broken, f"{page.url}\n" + "\n".join(broken)
