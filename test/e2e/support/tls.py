"""A throw-away certificate authority, for TLS and mutual TLS."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NO_USAGE = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                          "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)


class Authority:
    """Writes <name>.pem, and a certificate with its key for each name asked for, into a folder. They hold what RFC 5280 wants: Python's
    ssl asks for it since 3.13. expired: the latter were good until an hour ago."""

    def __init__(self, folder, name="e2e-ca", expired=False):
        self.folder, self.key, self.expired = folder, ec.generate_private_key(ec.SECP256R1()), expired
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self.name, self.key.public_key(), self.name)
        usage = x509.KeyUsage(**{**NO_USAGE, "key_cert_sign": True, "crl_sign": True})
        cert = (builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                .add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
                .sign(self.key, hashes.SHA256()))
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(cert.public_bytes(serialization.Encoding.PEM))

    @staticmethod
    def _builder(subject, public_key, issuer, expired=False):
        now, hours = datetime.datetime.now(datetime.timezone.utc), -1 if expired else 24
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=2))
                .not_valid_after(now + datetime.timedelta(hours=hours)))

    def issue(self, name, hosts=()):
        """(certificate file, key file), good for 127.0.0.1, localhost and the hosts as server, and as client."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost"),
                                             *map(x509.DNSName, hosts)])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        cert = (self._builder(subject, key.public_key(), self.name, self.expired).add_extension(names, critical=False)
                .add_extension(usage, critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
                .sign(self.key, hashes.SHA256()))
        cert_file, key_file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        return cert_file, key_file
