"""Make the pictures of the pages in docs/screenshots/ again, from the articles in sample/.

Usage: python scripts/screenshots.py     needs chromium
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
NUTGRAF = [sys.executable, "-m", "search"]
QUESTION = "How did the dockers' strike in Skarnmouth end?"
# (name, path below the server, scheme)
VIEWS = (
    ("search", f"/?q={QUESTION}", "light"),
    ("search-dark", f"/?q={QUESTION}", "dark"),
    ("article", f"/articles/MW-20221116-0019?q={QUESTION}&rank=1", "light"),
    ("cite", "/articles/MW-20221116-0019/cite?start=0&end=190", "light"),
    ("stories", "/stories?from=2022-10-01&to=2022-11-30", "light"),
    ("archive", "/archive", "light"),
)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Path(folder) / "store"
        subprocess.run([*NUTGRAF, "add", "sample", "--store", store], cwd=ROOT, check=True)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with serving(store) as url:
            for name, path, scheme in VIEWS:
                picture(browser, f"{url}{path}", scheme, PICTURES / f"{name}.png")
        browser.close()


@contextmanager
def serving(store: Path) -> Iterator[str]:
    command = [*NUTGRAF, "serve", "--read-only", "--port", "0", "--store", str(store)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        try:
            for line in server.stderr:
                if found := re.search(r"answers at (http://\S+?)/?\s", line):
                    yield found[1]
                    break
        finally:
            server.terminate()


def picture(browser: Browser, url: str, scheme: str, path: Path) -> None:
    dark = scheme == "dark"
    page = browser.new_page(
        viewport={"width": 1100, "height": 900}, color_scheme="dark" if dark else "light"
    )
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)
    page.close()
    print(path.relative_to(ROOT), f"{path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
