"""Connectors are installed whole and as they are pinned, or not at all, whatever the other side does."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import tomllib
import urllib.request
from hashlib import sha1
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.engines.connectors.cache import cache_folder, check_connectors, has_content, jars_of, with_connectors
from tauro.engines.connectors.install import install
from tauro.engines.connectors.maven import CENTRAL, Repository
from tauro.engines.connectors.pins import CONNECTORS, PYSPARK, Connector
from tauro.errors import DependencyError, EngineUnavailable, ExecutionError, SecurityError, ValidationError

sys.path.insert(0, str(Path(__file__).parent))
from maven_server import answer, connector, maven_server, serve

ROOT = Path(__file__).parents[2]
CONTENT = bytes(range(256)) * 40
ONE = connector(one=CONTENT)
PATH = "/org/example/one/1.0/one-1.0.jar"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def maven():
    with maven_server() as server:
        server.files[PATH] = CONTENT
        yield server


@pytest.fixture
def bring(maven, tmp_path):
    """Install connectors from the server, and note how long was waited for it."""
    told = SimpleNamespace(pauses=[], steps=[], folder=tmp_path / "cache" / "jars")

    def call(*connectors, timeout=5, **repository):
        place = Repository(maven.url, "a test", tmp_path / "m2", **repository)
        return install(
            connectors or (ONE,),
            told.folder,
            place,
            heard=lambda one, done: told.steps.append((one.file, done)),
            timeout=timeout,
            pause=told.pauses.append,
        )

    call.told, call.folder = told, told.folder
    return call


def names(folder):
    return sorted(file.name for file in folder.iterdir() if file.name != ".lock")


# -- what goes well ---------------------------------------------------------------------------------


def test_a_jar_is_had_whole_and_for_its_owner_only(bring, maven):
    old = os.umask(0)
    try:
        (jar,) = bring()
    finally:
        os.umask(old)
    assert (jar.source, jar.path.read_bytes()) == ("download", CONTENT)
    assert stat.S_IMODE(jar.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(bring.folder.stat().st_mode) == 0o700
    assert maven.heard == [(PATH, None, None)]
    assert bring.told.steps[-1] == ("one-1.0.jar", len(CONTENT))
    assert jars_of(ONE, bring.folder) == (jar.path,)


def test_what_is_there_is_not_asked_for_again(bring, maven):
    bring()
    (jar,) = bring()
    assert jar.source == "cache"
    assert len(maven.heard) == 1


def test_a_jar_that_was_damaged_is_had_again(bring, maven):
    (jar,) = bring()
    jar.path.write_bytes(b"\0" * len(CONTENT))
    (jar,) = bring()
    assert (jar.source, jar.path.read_bytes()) == ("download", CONTENT)


def test_mavens_own_folder_is_looked_at_first(bring, maven, tmp_path):
    copy = tmp_path / "m2" / PATH.lstrip("/")
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT)
    (jar,) = bring()
    assert (jar.source, jar.path.read_bytes()) == ("local repository", CONTENT)
    assert maven.heard == []
    assert bring.told.steps == [("one-1.0.jar", len(CONTENT))]


def test_another_content_in_mavens_folder_is_not_taken(bring, tmp_path):
    copy = tmp_path / "m2" / PATH.lstrip("/")
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT[::-1])
    (jar,) = bring()
    assert (jar.source, jar.path.read_bytes()) == ("download", CONTENT)


def test_a_repository_may_be_a_folder(bring, tmp_path):
    copy = tmp_path / "re po" / PATH.lstrip("/")
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT)
    place = Repository((tmp_path / "re po").as_uri(), "a test", tmp_path / "m2")
    assert install([ONE], bring.folder, place)[0].source == "local repository"
    with pytest.raises(DependencyError, match=r"has no org/example/two/1\.0/two-1\.0\.jar with the checksum"):
        install([connector(two=b"2")], bring.folder, place)


def test_a_jar_of_two_connectors_is_had_once(bring, maven):
    bring(ONE, Connector("kafka", (*ONE.artifacts,)))
    assert len(maven.heard) == 1


# -- what the other side does wrong -------------------------------------------------------------------


def test_what_the_repository_does_not_have_is_told_with_who_named_the_repository(bring, maven):
    with pytest.raises(DependencyError) as caught:
        bring(connector(two=b"2"))
    assert caught.value.message == f"{maven.url} has no org/example/two/1.0/two-1.0.jar: it answers 404"
    assert caught.value.details.looked_up == ("a test",)
    assert "TAURO_MAVEN_URL" in caught.value.hint
    assert names(bring.folder) == []
    assert bring.told.pauses == []


@pytest.mark.parametrize("content", [CONTENT[::-1], CONTENT + b"!", CONTENT * 500])
def test_another_file_is_not_taken_and_leaves_nothing(bring, maven, content):
    maven.files[PATH] = content
    with pytest.raises(DependencyError, match="is not taken: its checksum is not the one that is pinned"):
        bring()
    assert names(bring.folder) == []
    assert len(maven.heard) == 1


def test_a_file_that_does_not_end_is_not_read_to_its_end(bring, maven):
    maven.files[PATH] = CONTENT * 2000
    with pytest.raises(DependencyError, match="is not taken"):
        bring()
    assert max(done for _, done in bring.told.steps) < 1_000_000


def test_a_shorter_file_is_not_taken(bring, maven):
    maven.files[PATH] = CONTENT[:100]
    with pytest.raises(DependencyError, match="it ended after 100 of 10,240 bytes"):
        bring()
    assert jars_of(ONE, bring.folder) == ()


def test_a_download_that_is_cut_off_goes_on_where_it_was(bring, maven):
    maven.answers[PATH] = [lambda request: serve(request, CONTENT, most=4000)]
    (jar,) = bring()
    assert jar.path.read_bytes() == CONTENT
    assert [asked for _, asked, _ in maven.heard] == [None, "bytes=4000-"]
    assert len(bring.told.pauses) == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12_000), st.booleans()), max_size=3))
def test_wherever_it_is_cut_off_the_jar_is_what_is_pinned(tmp_path_factory, cuts):
    with maven_server() as server:
        server.files[PATH] = CONTENT
        server.answers[PATH] = [
            lambda request, most=most, ranges=ranges: serve(request, CONTENT, most=most, ranges=ranges)
            for most, ranges in cuts
        ]
        folder = tmp_path_factory.mktemp("cuts") / "jars"
        place = Repository(server.url, "a test", folder / "none")
        (jar,) = install([ONE], folder, place, pause=lambda _: None)
        assert jar.path.read_bytes() == CONTENT
        assert names(folder) == ["one-1.0.jar"]


def test_a_server_that_cannot_go_on_is_asked_from_the_start(bring, maven):
    maven.answers[PATH] = [
        lambda request: serve(request, CONTENT, most=4000),
        answer(416),
    ]
    (jar,) = bring()
    assert jar.path.read_bytes() == CONTENT
    assert [asked for _, asked, _ in maven.heard] == [None, "bytes=4000-", None]


@pytest.mark.parametrize("begun", [b"\1" * 4000, CONTENT[::-1], CONTENT + b"!"])
def test_a_beginning_that_is_not_of_this_file_is_thrown_away(bring, maven, begun):
    bring.folder.mkdir(parents=True, mode=0o700)
    (bring.folder / f"one-1.0.jar.{ONE.artifacts[0].sha256[:8]}.part").write_bytes(begun)
    (jar,) = bring()
    assert jar.path.read_bytes() == CONTENT
    assert names(bring.folder) == ["one-1.0.jar"]


def test_what_may_pass_is_tried_again_with_growing_pauses(bring, maven):
    maven.answers[PATH] = [answer(503), answer(429), answer(500)]
    (jar,) = bring()
    assert jar.source == "download"
    assert bring.told.pauses == [0.5, 1.0, 2.0]


def test_what_does_not_pass_is_told(bring, maven):
    maven.answers[PATH] = [answer(503)] * 9
    with pytest.raises(DependencyError, match=r"cannot be had from http://127.0.0.1:\d+: it answers 503 Service Unav"):
        bring()
    assert len(maven.heard) == 4


def test_a_server_that_falls_silent_is_not_waited_for(bring, maven):
    maven.answers[PATH] = [lambda request: serve(request, CONTENT, most=1000, stall=True)] * 4
    begun = time.monotonic()
    with pytest.raises(DependencyError, match="it does not answer in time"):
        bring(timeout=0.2)
    assert time.monotonic() - begun < 10
    assert jars_of(ONE, bring.folder) == ()
    # What came before the silence is not lost.
    (jar,) = bring()
    assert jar.path.read_bytes() == CONTENT
    assert maven.heard[-1][1] == "bytes=4000-"


def test_where_nobody_listens_the_reason_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = Repository(f"http://127.0.0.1:{taken.getsockname()[1]}", "a test", tmp_path)
        with pytest.raises(
            DependencyError, match=r"cannot be had from http://127.0.0.1:\d+: Connection refused"
        ) as caught:
            install([ONE], tmp_path / "jars", place, pause=lambda _: None)
    assert "HTTPS_PROXY" in caught.value.hint


# -- redirects, passwords, proxies --------------------------------------------------------------------


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/one.jar", "gopher://127.0.0.1/"])
def test_a_redirect_to_what_is_not_http_is_refused(bring, maven, location):
    maven.answers[PATH] = [answer(302, Location=location)]
    with pytest.raises(DependencyError, match="is not taken: it redirects"):
        bring()
    assert names(bring.folder) == []


def test_a_redirect_in_a_circle_ends(bring, maven):
    maven.answers[PATH] = [answer(302, Location=PATH)] * 30
    with pytest.raises(DependencyError, match="is not taken: it redirects in a circle"):
        bring()


def test_a_redirect_to_another_host_is_followed_without_the_password(bring, maven):
    with maven_server() as other:
        other.files["/elsewhere.jar"] = CONTENT
        maven.answers[PATH] = [answer(302, Location=f"{other.url}/elsewhere.jar")]
        (jar,) = bring(user=("ana", "geheim: ü"))
        assert jar.path.read_bytes() == CONTENT
        assert [login for _, _, login in other.heard] == [None]
    assert [login for _, _, login in maven.heard] == ["Basic YW5hOmdlaGVpbTogw7w="]


@pytest.mark.parametrize("code", [401, 403])
def test_who_may_not_have_it_is_told_how_to_name_a_password_and_not_which_was_tried(bring, maven, code):
    maven.answers[PATH] = [answer(code)]
    with pytest.raises(DependencyError) as caught:
        bring(user=("ana", "geheim"))
    told = str(caught.value.to_dict())
    assert f"it answers {code}" in told
    assert "settings.xml" in caught.value.hint
    assert "geheim" not in told + repr(Repository(maven.url, "x", Path(), user=("ana", "geheim")))


def test_a_proxy_of_the_settings_is_used_and_one_of_the_environment_comes_before_it(
    bring, maven, tmp_path, monkeypatch
):
    with maven_server() as proxy:
        asked = f"http://repository.invalid{PATH}"
        proxy.files[asked] = CONTENT
        place = Repository("http://repository.invalid", "a test", tmp_path / "m2", proxies={"http": proxy.url})
        install([ONE], tmp_path / "a", place)
        assert [path for path, _, _ in proxy.heard] == [asked]
        maven.files[asked] = CONTENT
        monkeypatch.setenv("http_proxy", maven.url)
        install([ONE], tmp_path / "b", place)
        assert [path for path, _, _ in maven.heard] == [asked]


# -- ends that nobody chose -------------------------------------------------------------------------

INSTALL = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from maven_server import connector
from tauro.engines.connectors.install import install
from tauro.engines.connectors.maven import Repository
install([connector(one=bytes(range(256)) * 40)], Path(sys.argv[1]), Repository(sys.argv[2], "a test", Path("none")))
"""


def start_install(folder, url):
    program = INSTALL.format(tests=str(Path(__file__).parent))
    return subprocess.Popen([sys.executable, "-c", program, str(folder), url], stderr=subprocess.PIPE)


def test_a_kill_leaves_no_jar_and_the_next_call_goes_on(bring, maven):
    maven.answers[PATH] = [lambda request: serve(request, CONTENT, most=4000, stall=True)]
    process = start_install(bring.folder, maven.url)
    part = bring.folder / f"one-1.0.jar.{ONE.artifacts[0].sha256[:8]}.part"
    ends = time.monotonic() + 30
    while not maven.heard and time.monotonic() < ends:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert names(bring.folder) in ([], [part.name])
    (jar,) = bring()
    assert jar.path.read_bytes() == CONTENT
    assert names(bring.folder) == ["one-1.0.jar"]


def test_two_at_once_have_each_jar_once(bring, maven):
    maven.answers[PATH] = [lambda request: (time.sleep(0.5), serve(request, CONTENT))]
    other = start_install(bring.folder, maven.url)
    found = []
    threads = [Thread(target=lambda: found.extend(bring())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _, told = other.communicate(timeout=60)
    assert other.returncode == 0, told.decode()
    assert [jar.path.read_bytes() for jar in found] == [CONTENT] * 2
    assert len(maven.heard) == 1


def test_what_cannot_be_written_is_told(bring):
    bring.folder.mkdir(parents=True, mode=0o700)
    (bring.folder / f"one-1.0.jar.{ONE.artifacts[0].sha256[:8]}.part").mkdir()
    with pytest.raises(ExecutionError, match="cannot be written") as caught:
        bring()
    assert "TAURO_CACHE_DIR" in caught.value.hint


# -- the folder ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HOME": "/home/ana"}, "/home/ana/.cache/tauro"),
        ({"HOME": "/home/ana", "XDG_CACHE_HOME": "/caches"}, "/caches/tauro"),
        ({"HOME": "/home/ana", "XDG_CACHE_HOME": "caches"}, "/home/ana/.cache/tauro"),
        ({"HOME": "/home/ana", "XDG_CACHE_HOME": "/caches", "TAURO_CACHE_DIR": "/mine"}, "/mine"),
        ({"HOME": "home", "TMPDIR": "/tmp"}, f"/tmp/tauro-{os.geteuid()}"),
    ],
)
def test_where_connectors_are_kept(environ, folder):
    assert str(cache_folder(environ)) == folder


def test_a_folder_that_is_a_link_is_refused(bring, tmp_path):
    bring.folder.parent.mkdir()
    bring.folder.symlink_to(tmp_path)
    with pytest.raises(SecurityError) as caught:
        bring()
    assert "TAURO_CACHE_DIR" in caught.value.hint


def test_a_folder_that_others_can_write_is_not_used(bring):
    bring()
    bring.folder.chmod(0o770)
    assert jars_of(ONE, bring.folder) == ()


def test_a_jar_of_another_size_is_not_used(bring):
    (jar,) = bring()
    jar.path.write_bytes(CONTENT[:-1])
    assert jars_of(ONE, bring.folder) == ()


@pytest.mark.parametrize("letter", list(",*?[]{}\\"))
def test_a_folder_whose_name_spark_reads_as_a_list_or_pattern_is_refused(maven, tmp_path, letter):
    with pytest.raises(ValidationError, match="Apache Spark cannot take jars from"):
        install([ONE], tmp_path / f"a{letter}b", Repository(maven.url, "a test", tmp_path))
    assert maven.heard == []


# -- what a session gets ------------------------------------------------------------------------------


@pytest.fixture
def stocked(tmp_path):
    """Return a folder with files in the place and size of every connector's jars."""
    folder = tmp_path / "a delta folder" / "jars"
    folder.mkdir(parents=True, mode=0o700)
    for each in CONNECTORS.values():
        for one in each.artifacts:
            with (folder / one.file).open("wb") as file:
                file.truncate(one.size)
    return folder


def test_every_installed_connector_is_in_a_session(stocked):
    config = with_connectors({"spark.jars": "/mine.jar", "other": "x"}, stocked)
    own, *jars = config["spark.jars"].split(",")
    assert (own, config["other"]) == ("/mine.jar", "x")
    assert [jar.rpartition("/")[2] for jar in jars] == [
        one.file for each in CONNECTORS.values() for one in each.artifacts
    ]
    assert all(jar.startswith("file:///") and " " not in jar for jar in jars)


@pytest.mark.parametrize("key", ["spark.jars", "spark.jars.packages"])
def test_a_connector_that_settings_name_wins(stocked, key):
    config = with_connectors({key: "io.delta:delta-spark_4.2_2.13:4.4.1"}, stocked)
    named = config["spark.jars"].split(",")
    assert not any("delta-storage" in jar for jar in named)
    assert any("kafka-clients" in jar for jar in named)


def test_a_folder_in_the_path_of_other_jars_names_no_connector(stocked):
    config = with_connectors({"spark.jars": "/opt/delta/kafka/other.jar"}, stocked)
    assert "delta-spark" in config["spark.jars"]
    assert "kafka-clients" in config["spark.jars"]


def test_nothing_installed_leaves_settings_as_they_are(tmp_path):
    assert with_connectors({"a": "b"}, tmp_path) == {"a": "b"}


def test_a_connector_whose_content_was_changed_stops_a_run_before_it_starts(stocked):
    with pytest.raises(EngineUnavailable, match="has been damaged") as caught:
        check_connectors({}, stocked)
    assert "tauro engine install --delta" in caught.value.hint
    check_connectors({"spark.jars": "delta.jar,kafka.jar,avro.jar,postgresql.jar"}, stocked)  # none is taken


# -- the pinned set -----------------------------------------------------------------------------------


def test_every_pinned_jar_has_a_name_of_its_own_a_size_and_a_checksum():
    artifacts = [one for each in CONNECTORS.values() for one in each.artifacts]
    assert len({one.file for one in artifacts}) == len(artifacts)
    assert all(re.fullmatch(r"[0-9a-f]{64}", one.sha256) and one.size > 1000 for one in artifacts)


def test_the_set_is_for_the_pyspark_that_is_installed_with_tauro():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"pyspark[connect]=={PYSPARK}" in project["dependencies"]


def test_the_documentation_names_the_pinned_connectors():
    text = (ROOT / "docs" / "engines.md").read_text()
    for each in CONNECTORS.values():
        assert f"`--{each.name}`" in text
        assert each.coordinate in text
        assert f"{each.size / 1e6:.1f} MB" in text


def test_nothing_is_pinned_that_pyspark_brings_itself():
    import pyspark

    folder = Path(pyspark.__file__).parent / "jars"
    brought = {re.sub(r"-\d.*", "", file.name) for file in folder.glob("*.jar")}
    assert len(brought) > 100
    assert not brought & {one.name for each in CONNECTORS.values() for one in each.artifacts}


def reached():
    """Say why Maven Central cannot be reached, empty where it can."""
    try:
        with urllib.request.urlopen(f"{CENTRAL}/io/delta/delta-storage/maven-metadata.xml", timeout=20) as answered:
            return "" if answered.status == 200 else f"it answers {answered.status}"
    except OSError as error:
        return str(error)


@pytest.mark.parametrize("name", CONNECTORS)
def test_maven_central_has_every_pinned_jar_and_its_own_checksum_is_of_the_same_content(tmp_path, name):
    """Where it can be reached, a failure is one of ours or of the table."""
    reason = reached()
    if reason:
        pytest.skip(f"Maven Central cannot be reached: {reason}")
    jars = install([CONNECTORS[name]], tmp_path / "jars", Repository(CENTRAL, "Maven Central", tmp_path / "none"))
    assert [jar.source for jar in jars] == ["download"] * len(CONNECTORS[name].artifacts)
    for jar in jars:
        assert has_content(jar.path, jar.artifact)
        with urllib.request.urlopen(f"{CENTRAL}/{jar.artifact.path}.sha1", timeout=20) as answered:
            assert answered.read().decode()[:40] == sha1(jar.path.read_bytes()).hexdigest()
    shutil.rmtree(tmp_path / "jars")
