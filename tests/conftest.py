"""What tests of all rooms share: the checkers that come from the system, and Hypothesis without a stop-watch."""

import asyncio
import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from playwright.sync_api import Browser, Page, sync_playwright

from tests.real.postgresql import Databases, own_schema, programs, running_postgresql
from tests.thorough import THOROUGH, only_thorough

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = Path("/usr/bin/chromium")
#: Quiet, and nothing asked of the network but what a test asks.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Containers often forbid bytecode: each process that a test starts would then compile the program and its libraries anew, which
# takes two of three seconds.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

hypothesis.settings.register_profile("newsletter", deadline=None)
hypothesis.settings.load_profile("newsletter")


#: Where tests take many seconds, much of it waiting: they begin first, so that at the end no worker is alone with one of them.
LONG = (
    "tests/proof/",
    "tests/cli/test_cli_worker.py",
    "tests/conformance/",
    "tests/delivery/test_delivery_ledger_machine.py",
    "tests/compose/test_markup_checkers.py",
    "tests/web/test_web_sample.py",
)


def pytest_report_header() -> str | None:
    """Say that not all of them are run."""
    return None if THOROUGH else "tests that take long are left out: TESTS=thorough make test runs them, too"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long is left out. Tests of one ``xdist_group`` stay with one worker, and share what they start.

    pytest-xdist 3.8 writes the group behind a name that pytest 9.2 reads no more: without this each worker starts its own.
    """
    if not THOROUGH:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("thorough")])
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
    for item in items if getattr(config.option, "loadgroup", False) else ():
        mark, name = item.get_closest_marker("xdist_group"), getattr(item, "_id", None)
        if mark is not None and name is not None:
            item._id = type(name).parse(f"{name}@{mark.args[0]}")


def pytest_collection_finish() -> None:
    """Thousands of tests and what they import stay to the end: the collector of garbage need not look at them each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def _browser() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium is not installed at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield browser, loop
        asyncio._set_running_loop(loop)
        browser.close()


@pytest.fixture
def chromium(_browser: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """The session's one Chromium, as Playwright drives it; close your pages.

    Playwright's sync API marks its loop as running between its calls, so that no ``asyncio.run`` works beside it: here it is
    marked for the tests alone that ask for Chromium.
    """
    browser, loop = _browser
    asyncio._set_running_loop(loop)
    yield browser
    asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def _sheets() -> list[Page]:
    return []


@pytest.fixture
def sheet(chromium: Browser, _sheets: list[Page]) -> Iterator[Page]:
    """An empty page for documents of one's own (``set_content``), which load nothing; the session's one.

    A page of its own for each test costs a process: three times what is then done there.
    """
    if not _sheets:
        _sheets.append(chromium.new_page())
    (page,) = _sheets
    page.goto("about:blank")
    page.emulate_media(color_scheme="light")
    page.route("**/*", lambda route: route.abort())
    yield page
    page.unroute_all()


def _installed(variable: str, path: str, package: str) -> Path:
    file = Path(os.environ.get(variable) or ROOT / "node_modules" / path)
    if not file.is_file():
        pytest.skip(f"{package} is not there: npm install {package}, or name the file in {variable}")
    return file


@pytest.fixture(scope="session")
def axe_source() -> str:
    """axe-core's program, to be evaluated in a page (``axe.run`` stands ready after that)."""
    return _installed("NEWSLETTER_AXE", "axe-core/axe.min.js", "axe-core").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def vnu_jar() -> Path:
    """The Nu HTML checker, for ``java -jar``."""
    if shutil.which("java") is None:
        pytest.skip("java is not on the PATH")
    return _installed("NEWSLETTER_VNU", "vnu-jar/build/dist/vnu.jar", "vnu-jar")


@pytest.fixture
def french_words(tmp_path: Path) -> Path:
    """The ``locale`` folder of a workspace in ``tmp_path`` with a catalogue of all words in pretended French."""
    folder = tmp_path / "locale"
    folder.mkdir()
    words = Catalog(locale="fr")
    with (ROOT / "newsletter" / "locale" / "newsletter.pot").open("rb") as stream:
        for message in read_po(stream):
            if message.id:
                words.add(message.id, "FR " + str(message.id).replace(" (clock)", " h").replace(" to ", " à "))
    with (folder / "fr.po").open("wb") as file:
        write_po(file, words)
    return folder


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[str]:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'newsletter[postgres]'")
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with running_postgresql() as url:
        yield url


@pytest.fixture
def postgresql_url(_postgresql_server: str) -> Iterator[str]:
    """The address of an empty database on a real PostgreSQL, started once a test run; skipped where it is not installed."""
    with own_schema(_postgresql_server) as url:
        yield url


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("database")
    if mark is not None and "database_url" in metafunc.fixturenames:
        # The store's and the ledger's own tests are run with both anyway.
        again = len(mark.args) > 1 and not {"cli", "web"}.isdisjoint(metafunc.definition.path.parts)
        kinds = [pytest.param(kind, marks=only_thorough) if again and kind == "postgresql" else kind for kind in mark.args]
        metafunc.parametrize("database_url", kinds, indirect=True)


@pytest.fixture(scope="session")
def _databases(_postgresql_server: str) -> Databases:
    return Databases(_postgresql_server)


@pytest.fixture
def postgresql_with_tables(_databases: Databases) -> Iterator[str]:
    """The address of a database on a real PostgreSQL that has its tables and no rows."""
    url = _databases.lend()
    yield url
    _databases.take_back(url)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database: a file; on a server, too, where :data:`~tests.real.postgresql.both` marks the test.

    On the server it has its tables already.
    """
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'newsletter.db'}"
    url: str = request.getfixturevalue("postgresql_with_tables")
    return url
