"""The local authority: certificates for an actor and its game servers, made on first run.

Keys are ECDSA on P-256 and never leave their folder; every file is readable by its owner only.
The authority lasts ten years, a leaf 90 days; a leaf with less than seven days left is made anew
when it is next asked for.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import ipaddress
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from huntgraph.errors import ActorError, UsageError

__all__ = ["Authority", "Leaf"]

AUTHORITY_DAYS: Final = 3652
LEAF_DAYS: Final = 90
RENEW_DAYS: Final = 7
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_EARLIER: Final = dt.timedelta(minutes=5)
"""Certificates begin a little in the past: clocks of two machines differ."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """PEM files of one identity: its certificate, its key and the authority's certificate."""

    certificate: Path
    key: Path
    authority: Path

    @property
    def expires(self) -> dt.datetime:
        """When the certificate ends, in UTC."""
        found = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return found.not_valid_after_utc


class Authority:
    """An authority in a folder: ``authority.pem``, ``authority.key`` and the leaves it signed."""

    def __init__(
        self, folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> None:
        self.folder = folder
        self._certificate = certificate
        self._key = key

    def __repr__(self) -> str:
        return f"<Authority in {self.folder}>"

    @classmethod
    def create_or_open(cls, folder: str | Path) -> Self:
        """Open the authority of a folder, making both when there is none.

        Raises ActorError: HG1470 when the folder cannot be written, HG1471 when its files are
        damaged, do not belong together or have expired.
        """
        place = Path(folder)
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(place):
                if not (place / "authority.pem").exists():
                    _make_authority(place)
                return cls._open(place)
        except OSError as error:
            raise ActorError(
                f"the certificates cannot be read or written: {error.strerror or error}",
                where=error.filename or place,
                fix="check the folder's owner and permissions, or choose another one",
                code="HG1470",
            ) from error

    @classmethod
    def _open(cls, folder: Path) -> Self:
        try:
            certificate = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
            key = _load_key(folder / "authority.key")
        except ValueError as error:
            raise _damaged(folder, f"the authority cannot be read: {error}") from error
        if certificate.public_key() != key.public_key():
            raise _damaged(folder, "the authority's certificate and key do not belong together")
        if certificate.not_valid_after_utc <= _now():
            raise _damaged(folder, "the authority has expired")
        return cls(folder, certificate, key)

    @property
    def certificate(self) -> Path:
        """The authority's certificate, which both ends of a link trust."""
        return self.folder / "authority.pem"

    @property
    def expires(self) -> dt.datetime:
        """When the authority ends, in UTC."""
        return self._certificate.not_valid_after_utc

    def server_identity(self) -> Leaf:
        """Give the actor's identity, for localhost, 127.0.0.1 and ::1; made or renewed if due."""
        return self._leaf("server", server=True)

    def client_identity(self, name: str = "game-server") -> Leaf:
        """Give a game server's identity by its name; made or renewed if due.

        Raises UsageError for a name that is no plain file name of at most 63 letters.
        """
        if not _NAME.fullmatch(name) or name in ("server", "authority"):
            raise UsageError(
                f'a game server cannot be called "{name}"',
                fix="use letters, digits, dots and dashes, and not server or authority",
            )
        return self._leaf(name, server=False)

    def _leaf(self, name: str, *, server: bool) -> Leaf:
        leaf = Leaf(self.folder / f"{name}.pem", self.folder / f"{name}.key", self.certificate)
        with _locked(self.folder):
            if not self._usable(leaf):
                key = ec.generate_private_key(ec.SECP256R1())
                signed = self._sign(name, key.public_key(), server=server)
                # The key first: a certificate is never seen without its own key for long, and
                # _usable finds the pair that a crash between the two leaves behind.
                _write(leaf.key, _key_text(key))
                _write(leaf.certificate, signed.public_bytes(serialization.Encoding.PEM))
        return leaf

    def _usable(self, leaf: Leaf) -> bool:
        try:
            found = x509.load_pem_x509_certificate(leaf.certificate.read_bytes())
            key = _load_key(leaf.key)
            found.verify_directly_issued_by(self._certificate)
        except (OSError, ValueError, TypeError, InvalidSignature):
            return False
        left = found.not_valid_after_utc - _now()
        return found.public_key() == key.public_key() and left > dt.timedelta(days=RENEW_DAYS)

    def _sign(self, name: str, key: ec.EllipticCurvePublicKey, *, server: bool) -> x509.Certificate:
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        names: list[x509.GeneralName] = [x509.DNSName("localhost")]
        names += [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1")]
        ends = min(_now() + dt.timedelta(days=LEAF_DAYS), self.expires)
        issuer = self._certificate.subject
        builder = _builder(f"huntgraph {name}", issuer, key, ends)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        builder = builder.add_extension(_usage(signs=False), critical=True)
        return builder.sign(self._key, hashes.SHA256())


def _make_authority(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject("huntgraph local authority")
    ends = _now() + dt.timedelta(days=AUTHORITY_DAYS)
    builder = _builder("huntgraph local authority", subject, key.public_key(), ends)
    builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    signed = builder.sign(key, hashes.SHA256())
    # The certificate last: its presence says that the authority is whole.
    _write(folder / "authority.key", _key_text(key))
    _write(folder / "authority.pem", signed.public_bytes(serialization.Encoding.PEM))


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - _EARLIER)
        .not_valid_after(ends)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no elliptic curve key")
    return key


def _key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file of mode 0600, whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep two processes that start together from each making their own certificates."""
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _damaged(folder: Path, what: str) -> ActorError:
    return ActorError(
        what,
        where=folder,
        fix="move the folder away; new certificates are made at the next start",
        code="HG1471",
    )
