"""Which repository connectors are had from: the environment's word, Maven's own settings, or Maven Central."""

from pathlib import Path

import pytest

from tauro.engines.connectors.maven import CENTRAL, find_repository
from tauro.errors import ConfigurationError, DependencyError, ValidationError


@pytest.fixture
def found(tmp_path):
    """Return the repository for a settings.xml with these elements, and these variables."""

    def find(elements=None, namespace="", **environ):
        if elements is not None:
            file = tmp_path / ".m2" / "settings.xml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"<settings{namespace}>{elements}</settings>", encoding="utf-8")
        return find_repository(environ, tmp_path)

    return find


def mirror(name, of, more=""):
    return (
        f"<mirror><id>{name}</id><mirrorOf>{of}</mirrorOf><url>https://{name}.example.com/maven/</url>{more}</mirror>"
    )


def test_without_any_word_it_is_maven_central_and_mavens_usual_folder(found, tmp_path):
    repository = found()
    assert (repository.url, repository.origin) == (CENTRAL, "Maven Central")
    assert repository.local == tmp_path / ".m2" / "repository"
    assert (repository.user, dict(repository.proxies)) == (None, {})


def test_settings_without_mirror_leave_it_at_maven_central(found):
    assert found("<offline>false</offline>").url == CENTRAL


@pytest.mark.parametrize("of", ["central", "*", "external:*", "*,!internal", "other, central"])
def test_a_mirror_of_central_is_taken(found, of):
    assert found(f"<mirrors>{mirror('m', of)}</mirrors>").url == "https://m.example.com/maven"


@pytest.mark.parametrize("of", ["other", "*,!central", "external:http:*", ""])
def test_a_mirror_of_something_else_is_not(found, of):
    assert found(f"<mirrors>{mirror('m', of)}</mirrors>").url == CENTRAL


def test_a_mirror_that_maven_blocks_is_not_taken(found):
    assert found(f"<mirrors>{mirror('m', '*', '<blocked>true</blocked>')}</mirrors>").url == CENTRAL


def test_the_first_mirror_is_taken_and_one_for_central_alone_before_all(found):
    assert "//a." in found(f"<mirrors>{mirror('a', '*')}{mirror('b', 'external:*')}</mirrors>").url
    assert "//b." in found(f"<mirrors>{mirror('a', '*')}{mirror('b', 'central')}</mirrors>").url


def test_settings_have_their_namespace(found):
    repository = found(
        f"<mirrors>{mirror('m', '*')}</mirrors>", namespace=' xmlns="http://maven.apache.org/SETTINGS/1.2.0"'
    )
    assert repository.url == "https://m.example.com/maven"


def test_a_mirror_gets_user_and_password_of_its_server_and_variables_in_them(found):
    servers = (
        "<servers><server><id>other</id><username>x</username></server>"
        "<server><id>m</id><username>${env.WHO}</username><password>p&amp;${env.WORD}${env.NONE}</password></server></servers>"
    )
    repository = found(f"<mirrors>{mirror('m', '*')}</mirrors>{servers}", WHO="ana", WORD="geheim")
    assert repository.user == ("ana", "p&geheim${env.NONE}")
    assert "geheim" not in repr(repository)


def test_an_encrypted_password_is_told(found):
    server = "<servers><server><id>m</id><username>u</username><password>{jSMOWno=}</password></server></servers>"
    with pytest.raises(DependencyError, match=r"The password of server 'm' in .*settings.xml is encrypted") as caught:
        found(f"<mirrors>{mirror('m', '*')}</mirrors>{server}")
    assert "TAURO_MAVEN_URL" in caught.value.hint


def test_the_local_folder_of_the_settings_is_taken(found, tmp_path):
    assert found("<localRepository>${user.home}/jars</localRepository>").local == tmp_path / "jars"


def test_the_environment_comes_before_the_settings(found):
    repository = found(f"<mirrors>{mirror('m', '*')}</mirrors>", TAURO_MAVEN_URL="http://maven.example.com:8081/x/ ")
    assert (repository.url, repository.origin) == ("http://maven.example.com:8081/x", "TAURO_MAVEN_URL")


def test_user_and_password_of_the_environment_are_no_part_of_the_address(found):
    repository = found(TAURO_MAVEN_URL="https://ana:ge%40heim@maven.example.com/x?a=b")
    assert repository.user == ("ana", "ge@heim")
    assert repository.url == "https://maven.example.com/x"
    assert "heim" not in repr(repository)


@pytest.mark.parametrize(
    ("url", "bare"),
    [("https://[::1]:8443/maven", "https://[::1]:8443/maven"), ("file:///mnt/maven/", "file:///mnt/maven")],
)
def test_other_kinds_of_addresses_are_read(found, url, bare):
    assert found(TAURO_MAVEN_URL=url).url == bare


@pytest.mark.parametrize(
    "url",
    [
        "maven.example.com",
        "ftp://geheim@x/",
        "https://",
        "https:///geheim",
        "https://geheim:x@y:port/",
        "geheim",
        "https://[geheim/",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(found, url):
    with pytest.raises(ValidationError) as caught:
        found(TAURO_MAVEN_URL=url)
    assert caught.value.message == "TAURO_MAVEN_URL is not the address of a Maven repository"
    assert "geheim" not in str(caught.value.to_dict())


def test_a_mirror_without_address_is_refused_with_its_name(found):
    with pytest.raises(ValidationError, match=r"mirror 'm' of .*settings.xml is not the address"):
        found("<mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf></mirror></mirrors>")


def test_settings_that_are_not_xml_are_told_with_their_place(tmp_path):
    file = tmp_path / ".m2" / "settings.xml"
    file.parent.mkdir()
    file.write_text("<settings>\n  <mirrors></settings>\n")
    with pytest.raises(ConfigurationError, match=r"settings.xml is not XML") as caught:
        find_repository({}, tmp_path)
    assert (caught.value.place.file, caught.value.place.line) == (str(file), 2)


def test_settings_that_are_a_folder_are_told(tmp_path):
    (tmp_path / ".m2" / "settings.xml").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        find_repository({}, tmp_path)


# -- proxies --------------------------------------------------------------------------------------------


def proxy(**more):
    elements = {"host": "proxy.example.com", "port": "3128", **more}
    return (
        "<proxies><proxy>"
        + "".join(f"<{key}>{value}</{key}>" for key, value in elements.items())
        + "</proxy></proxies>"
    )


def test_a_proxy_of_the_settings_serves_both_schemes(found):
    expected = "http://proxy.example.com:3128"
    assert found(proxy(active="true")).proxies == {"http": expected, "https": expected}


def test_a_proxy_has_user_and_password_and_does_not_show_them(found):
    repository = found(proxy(username="ana", password="ge:heim@"))
    assert repository.proxies["https"] == "http://ana:ge%3Aheim%40@proxy.example.com:3128"
    assert "heim" not in repr(repository)


@pytest.mark.parametrize("more", [{"active": "false"}, {"nonProxyHosts": "localhost|*.maven.apache.org"}])
def test_a_proxy_that_is_not_for_this_way_is_not_taken(found, more):
    assert found(proxy(**more)).proxies == {}


def test_which_hosts_a_proxy_spares_is_asked_of_the_mirror(found):
    settings = f"<mirrors>{mirror('m', '*')}</mirrors>{proxy(nonProxyHosts='*.example.com')}"
    assert found(settings).proxies == {}


def test_the_users_folder_is_the_only_one_that_is_read():
    assert find_repository({}, Path("/a folder that is not there")).url == CENTRAL
