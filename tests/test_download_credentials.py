"""User names and passwords: where they are found, in which order, and that no message shows them."""

import traceback

import pytest

from xinr.datasets.credentials import ACCOUNTS, Credentials, find_credentials

AVISO = ACCOUNTS["aviso"]
HOST = "https://tds.aviso.altimetry.fr/thredds"
pytestmark = pytest.mark.usefixtures("no_credentials")


@pytest.fixture
def written(tmp_path):
    """Write a credentials file that the user alone can read."""

    def write(text):
        path = tmp_path / "credentials.yaml"
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("aviso:\n  username: jane\n  password: secret\n", "secret"),
        ("wandb: {key: 1}\naviso:\n  username: jane\n  password: secret\nlist: [1, 2]\n", "secret"),
        ("aviso: {username: jane, password: 0123}", "0123"),
        ("aviso: {username: jane, password: 1e3}", "1e3"),
        ("aviso: {username: jane, password: no}", "no"),
        ("aviso: {username: jane, password: 'a: #b\"c'}", 'a: #b"c'),
        ("aviso: {username: jane, password: pässwörd}", "pässwörd"),
    ],
)
def test_a_credentials_file_is_yaml(written, text, password):
    assert find_credentials(AVISO, written(text)) == Credentials("jane", password)


def test_no_repr_shows_a_password():
    assert repr(Credentials("jane", "secret")) == str(Credentials("jane", "secret")) == "Credentials(username='jane')"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "copernicusmarine: {username: jane, password: secret}",
        "aviso:",
        "aviso: {username: jane}",
        "aviso: {username: jane, password: ''}",
        "aviso: {username: jane, password: [secret]}",
    ],
)
def test_a_file_without_the_account_is_refused(written, text):
    message = r"credentials\.yaml lacks the user name and password of 'aviso': expected the line 'aviso: \{username: <n"
    with pytest.raises(ValueError, match=message) as error:
        find_credentials(AVISO, written(text))
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["aviso: {username: jane, password: se@cret%", "aviso:\n  password: @secret\n", "aviso:\n\tpassword: secret"],
)
def test_an_invalid_file_is_not_quoted(written, text):
    with pytest.raises(
        ValueError, match=r"credentials\.yaml cannot be read as YAML \(line \d\): put a password"
    ) as error:
        find_credentials(AVISO, written(text))
    assert "cret" not in "".join(traceback.format_exception(error.value))
    assert error.value.__context__ is None


def test_a_binary_file_is_refused(tmp_path):
    path = tmp_path / "credentials.yaml"
    path.touch(mode=0o600)
    path.write_bytes(b"aviso: {username: jane, password: \xff\xfe}")
    with pytest.raises(ValueError, match=r"credentials\.yaml cannot be read as YAML: put"):
        find_credentials(AVISO, path)


def test_a_missing_file_is_refused_with_the_cure(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no credentials file .*absent\.yaml: make it, with the line 'aviso: \{user"
    ):
        find_credentials(AVISO, tmp_path / "absent.yaml")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_warns(written, mode):
    path = written("aviso: {username: jane, password: secret}")
    path.chmod(mode)
    with pytest.warns(UserWarning, match=r"others can read the passwords in .*credentials\.yaml: chmod 600") as caught:
        find_credentials(AVISO, path)
    assert "secret" not in str(caught[0].message)


def test_the_file_comes_before_the_environment_and_that_before_netrc(written, no_credentials, monkeypatch):
    assert find_credentials(AVISO, url=HOST) is None
    no_credentials.touch(mode=0o600)
    no_credentials.write_text("machine tds.aviso.altimetry.fr login nora password n\n")
    assert find_credentials(AVISO, url=HOST) == Credentials("nora", "n")
    assert find_credentials(AVISO, url="https://elsewhere.invalid") is None
    monkeypatch.setenv("AVISO_USERNAME", "emma")
    monkeypatch.setenv("AVISO_PASSWORD", "e")
    assert find_credentials(AVISO, url=HOST) == Credentials("emma", "e")
    path = written("aviso: {username: fred, password: f}")
    assert find_credentials(AVISO, path, url=HOST) == Credentials("fred", "f")


def test_a_user_name_without_password_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("AVISO_PASSWORD", "secret")
    with pytest.raises(ValueError, match=r"has AVISO_PASSWORD but no AVISO_USERNAME: set both, or neither") as error:
        find_credentials(AVISO)
    assert "secret" not in str(error.value)


def test_an_invalid_netrc_is_not_quoted(no_credentials):
    no_credentials.touch(mode=0o600)
    no_credentials.write_text("machine tds.aviso.altimetry.fr login jane\nsecret password\n")
    with pytest.raises(
        ValueError, match=r"netrc cannot be used as netrc \(line \d+\): expected 'machine <host>"
    ) as error:
        find_credentials(AVISO, url=HOST)
    assert "secret" not in "".join(traceback.format_exception(error.value))
    assert error.value.__context__ is None
