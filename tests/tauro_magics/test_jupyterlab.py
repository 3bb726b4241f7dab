"""A real JupyterLab in a real browser: what a person sees and clicks. Pictures of it go to build/screenshots."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import nbformat
import pytest
from playwright.sync_api import expect, sync_playwright

from tauro.scaffold.generator import generate
from tauro.store.records import NewStream
from tauro.streaming.control import Streams

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "screenshots"
BROWSER = shutil.which("chromium")
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
SWITCHES += ("--disable-component-update", "--disable-sync")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# Java that compiles little: it lives for a minute, and shares its cores.
JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
PATIENCE = 60.0
# Says whether a notebook is in front, with a kernel that waits for cells.
READY = """name => {
  const shown = window.jupyterapp?.shell.currentWidget;
  return shown?.context?.path === name && shown.sessionContext?.session?.kernel?.status === "idle";
}"""

pytestmark = pytest.mark.skipif(
    BROWSER is None and not os.environ.get("CI"), reason="no chromium: tests/services/chromium.sh installs it"
)


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """Start a stream whose source gets a file every now and then; return its project's folder and its id."""
    root = generate("medallion_basic", "shop", tmp_path_factory.mktemp("stream")).path
    environ = {**os.environ, **JAVA}
    with Streams.open(root, environ=environ) as streams:
        new = NewStream("real_time_processing", "dev", "config/streaming.py")
        started = streams.start(new, wait=False)
        generator = [sys.executable, str(root / "src/generator.py"), "--minutes", "600", "--pause", "0.5"]
        with subprocess.Popen(generator, stdout=subprocess.DEVNULL) as shop:
            yield root, started.id
            shop.terminate()
        streams.stop(started.id, timeout=0)


@pytest.fixture(scope="module")
def lab(tmp_path_factory, stream):
    """Start a JupyterLab of its own, and return its folder of notebooks and its address."""
    home = tmp_path_factory.mktemp("lab")
    notebooks = home / "notebooks"
    notebooks.mkdir()
    (home / "config" / "labconfig").mkdir(parents=True)
    # Its dialog about news would stand before everything.
    extensions = {"@jupyterlab/apputils-extension:announcements": True}
    (home / "config/labconfig/page_config.json").write_text(json.dumps({"disabledExtensions": extensions}))
    environ = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    environ.pop("TAURO_ENV", None)
    options = (
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        "--ServerApp.port=0",
        "--expose-app-in-browser",
        f"--notebook-dir={notebooks}",
    )
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environ, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield notebooks, _address(home, server)
    finally:
        server.send_signal(signal.SIGTERM)  # it ends its kernels
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _address(home, server):
    deadline = monotonic() + PATIENCE
    file = home / "runtime" / f"jpserver-{server.pid}.json"
    while not file.exists():
        assert server.poll() is None, (home / "log").read_text()
        assert monotonic() < deadline, (home / "log").read_text()
        sleep(0.05)
    told = json.loads(file.read_text())
    return f"{told['url']}lab/tree/{{}}?token={told['token']}"


class Lab:
    """A page of JupyterLab, and what a person does in it."""

    def __init__(self, page, notebooks, address):
        self.page = page
        self._notebooks = notebooks
        self._address = address

    def open(self, name):
        """Open a notebook and wait for its kernel."""
        self.page.goto(self._address.format(name))
        # Whatever is executed before the kernel is there is asked which kernel is meant.
        self.page.wait_for_function(READY, arg=name)

    def write(self, name, *cells):
        """Write a notebook of cells of code."""
        made = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
        made.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(made, self._notebooks / name)

    def menu(self, menu, entry):
        """Choose an entry of a menu."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=menu).first.click()
        self.page.locator(".lm-Menu-itemLabel", has_text=entry).first.click()

    def theme(self, name):
        change = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
        self.page.evaluate(change, f"JupyterLab {name}")
        self.page.locator(f"body[data-jp-theme-light={'true' if name == 'Light' else 'false'}]").wait_for(
            state="attached"
        )

    def button(self, text):
        """Return a button of a panel."""
        return self.page.locator("button.jupyter-button", has_text=text)

    def keep(self, name):
        """Keep a picture of the page, in both themes."""
        for theme in ("Dark", "Light"):
            self.theme(theme)
            self.page.wait_for_timeout(150)
            self.page.screenshot(path=PICTURES / f"{name}-{theme.lower()}.png")


@pytest.fixture(scope="module")
def browser():
    assert BROWSER, "CI has Chromium: tests/services/chromium.sh installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(browser, lab):
    notebooks, address = lab
    PICTURES.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)
    yield Lab(page, notebooks, address)
    page.screenshot(path=PICTURES / "last.png")  # where a test that failed has stood
    page.close()


def test_the_quick_start_runs_and_its_panel_is_picked_run_and_watched(page, lab):
    shutil.copy(ROOT / "notebooks" / "01_quick_start.ipynb", lab[0])
    page.open("01_quick_start.ipynb")
    page.menu("Edit", "Clear Outputs of All Cells")
    page.menu("Run", "Run All Cells")
    status = page.page.locator(".tauro-live .tauro-title")
    expect(status).to_contain_text("silver_transformation")
    expect(status).to_contain_text("completed")
    assert page.page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count() == 0
    page.page.get_by_label("Pipeline").select_option("gold_aggregation")
    page.button("Plan").click()
    pane = page.page.locator(".tauro-live .tauro-pane:visible")
    expect(pane).to_contain_text("country_ranking")
    page.keep("panel-plan")
    height = page.page.locator(".tauro-live").bounding_box()["height"]
    page.button("Run").last.click()
    expect(status).to_contain_text("gold_aggregation")
    expect(status).to_contain_text("completed")
    expect(pane.locator("svg g[class$=-completed]")).to_have_count(3)
    page.keep("panel-run")
    for view in ("Log", "History", "Validation"):
        page.button(view).click()
    assert page.page.locator(".tauro-live").bounding_box()["height"] == height, "the layout jumped"


def test_the_panel_is_used_by_keyboard_alone(page):
    page.page.get_by_label("Environment").focus()
    seen = []
    for _ in range(24):  # a date has several parts
        seen.append(page.page.evaluate("document.activeElement.textContent || document.activeElement.type"))
        page.page.keyboard.press("Tab")
    words = " ".join(seen)
    assert [word for word in ("Validate", "Dry run", "Run", "Plan") if word not in words] == []
    page.button("Dry run").focus()
    page.page.keyboard.press("Enter")
    expect(page.page.locator(".tauro-live .tauro-title")).to_contain_text("nothing was touched")


def test_a_reopened_notebook_shows_the_picture_without_a_kernel(page):
    page.menu("File", "Save Notebook")
    page.menu("Kernel", "Shut Down Kernel")
    page.page.reload()
    picture = page.page.locator(".tauro-snapshot:visible")
    expect(picture).to_contain_text("gold_aggregation")
    expect(page.page.get_by_text("model not found")).to_be_hidden()
    picture.scroll_into_view_if_needed()
    page.keep("snapshot")


def test_the_monitor_follows_a_running_stream_and_stops_it(page, stream):
    root, stream_id = stream
    page.write("monitor.ipynb", f"%load_ext tauro_magics\n%cd -q {root}", "%tauro monitor --env dev")
    page.open("monitor.ipynb")
    page.menu("Run", "Run All Cells")
    monitor = page.page.locator(".tauro-live")
    expect(monitor).to_contain_text(stream_id)
    expect(monitor).to_contain_text("ACTIVE")
    expect(monitor.locator("polyline").first).to_be_attached()
    page.keep("monitor")
    page.button("Stop").click()
    expect(monitor).to_contain_text(f"{stream_id} is STOPPED.")
    expect(page.button("Stop")).to_be_disabled()
    page.keep("monitor-stopped")
