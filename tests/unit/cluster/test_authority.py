"""The local authority: what it makes, keeps, renews and refuses."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509

from huntgraph.cluster import Authority, Leaf
from huntgraph.cluster import authority as module
from huntgraph.errors import ActorError, UsageError


def certificate(leaf: Leaf) -> x509.Certificate:
    return x509.load_pem_x509_certificate(leaf.certificate.read_bytes())


def test_made_once_then_opened(tmp_path: Path) -> None:
    first = Authority.create_or_open(tmp_path / "certificates")
    leaf = first.server_identity()
    before = leaf.certificate.read_bytes()
    again = Authority.create_or_open(tmp_path / "certificates")
    assert again.server_identity().certificate.read_bytes() == before
    assert again.certificate.read_bytes() == first.certificate.read_bytes()


def test_lifetimes_names_and_permissions(tmp_path: Path) -> None:
    authority = Authority.create_or_open(tmp_path / "certificates")
    leaf = authority.server_identity()
    now = dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=3600) < authority.expires - now < dt.timedelta(days=3660)
    assert dt.timedelta(days=89) < leaf.expires - now <= dt.timedelta(days=90)
    names = certificate(leaf).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "::1"]
    for file in authority.folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    assert authority.folder.stat().st_mode & 0o777 == 0o700


def test_a_leaf_that_ends_soon_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.create_or_open(tmp_path)
    monkeypatch.setattr(module, "LEAF_DAYS", 6)
    old = certificate(authority.client_identity("alpha")).serial_number
    monkeypatch.setattr(module, "LEAF_DAYS", 90)
    new = certificate(authority.client_identity("alpha")).serial_number
    assert new != old
    assert certificate(authority.client_identity("alpha")).serial_number == new


def test_a_leaf_whose_key_is_lost_or_not_its_own_is_made_anew(tmp_path: Path) -> None:
    authority = Authority.create_or_open(tmp_path)
    leaf, other = authority.client_identity("alpha"), authority.client_identity("beta")
    serial = certificate(leaf).serial_number
    leaf.key.write_bytes(other.key.read_bytes())
    assert certificate(authority.client_identity("alpha")).serial_number != serial
    serial = certificate(leaf).serial_number
    leaf.key.write_bytes(b"nothing of use")
    assert certificate(authority.client_identity("alpha")).serial_number != serial


@pytest.mark.parametrize("name", ["", "../up", "a/b", "server", "authority", "x" * 64, "-x"])
def test_names_that_are_no_plain_file_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        Authority.create_or_open(tmp_path).client_identity(name)


def test_damaged_and_mismatched_files_are_reported(tmp_path: Path) -> None:
    one = Authority.create_or_open(tmp_path / "one")
    other = Authority.create_or_open(tmp_path / "other")
    (one.folder / "authority.key").write_bytes((other.folder / "authority.key").read_bytes())
    with pytest.raises(ActorError, match="do not belong together") as caught:
        Authority.create_or_open(one.folder)
    assert caught.value.code == "HG1471"
    (other.folder / "authority.pem").write_bytes(b"garbage")
    with pytest.raises(ActorError, match="cannot be read"):
        Authority.create_or_open(other.folder)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ActorError) as caught:
        Authority.create_or_open(tmp_path / "file" / "certificates")
    assert caught.value.code == "HG1470"


def test_two_at_once_make_one_authority(tmp_path: Path) -> None:
    made: list[bytes] = []

    def make() -> None:
        made.append(Authority.create_or_open(tmp_path).certificate.read_bytes())

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_another_tls_library_accepts_the_pair(tmp_path: Path) -> None:
    authority = Authority.create_or_open(tmp_path)
    server, client = authority.server_identity(), authority.client_identity("alpha")
    receiving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.certificate)
    receiving.load_cert_chain(server.certificate, server.key)
    receiving.verify_mode = ssl.CERT_REQUIRED
    sending = ssl.create_default_context(cafile=authority.certificate)
    sending.load_cert_chain(client.certificate, client.key)
    left, right = socket.socketpair()
    names: list[object] = []

    def serve() -> None:
        with receiving.wrap_socket(left, server_side=True) as link:
            names.append(link.getpeercert())
            link.sendall(b"x")

    thread = threading.Thread(target=serve)
    thread.start()
    with sending.wrap_socket(right, server_hostname="localhost") as link:
        assert link.recv(1) == b"x"
    thread.join()
    assert "huntgraph alpha" in str(names)
