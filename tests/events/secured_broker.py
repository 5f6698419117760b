"""A real Apache Kafka that lets nobody do what no ACL allows: users by SCRAM over TLS, a TLS port for anybody, and one
for whom a certificate names.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from ssl import create_default_context
from typing import Any, Final
from urllib.parse import quote

from ..broker import PROPERTIES, Kafka
from ..servers import NotHere, free_port

ROLES: Final = ("relay", "intake", "projector", "worker", "service")
_ADMIN: Final = "admin"
RIGHTS: Final = Path(__file__).parents[1] / "kafka" / "Rights.java"

SECURED: Final = """
listeners=SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{tls},MUTUAL://127.0.0.1:{mutual},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,MUTUAL:SSL,CONTROLLER:SASL_PLAINTEXT
listener.name.mutual.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([a-z-]+)$/$1/,DEFAULT
inter.broker.listener.name=SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram} required {admin};
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain} required {admin} user_admin="{secret}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin
"""
CLIENT: Final = """
security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config={scram} required {admin};
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
"""


class SecuredKafka(Kafka):
    """One broker process that authorises; every role of a ledger has a user, `lepton-relay` and so on."""

    def __init__(self) -> None:
        self.tls_port = free_port()
        self.mutual_port = free_port()
        super().__init__()
        self._certify()
        (self._folder / "client.properties").write_text(CLIENT.format(**self._places()))

    @property
    def certificate(self) -> str:
        """The file with the certificate of who vouches for the broker, for SSL_CERT_FILE."""
        return str(self._folder / "ca.pem")

    def url(self, role: str) -> str:
        """Where a role's user finds the broker, for LEPTON_KAFKA."""
        return f"kafka+sasl://lepton-{role}:{quote(password(role), safe='')}@{self.servers}"

    def certified(self, name: str, folder: Path, key_password: str = "") -> tuple[Path, Path]:
        """Files with a certificate for a name, vouched for as the broker's is, and with its key."""
        file, key, asked = (folder / f"{name}.{kind}.pem" for kind in ("certificate", "key", "asked"))
        locked = ("-passout", f"pass:{key_password}") if key_password else ("-nodes",)
        openssl("req", "-newkey", "rsa:2048", *locked, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(asked))
        by = ("-CA", self.certificate, "-CAkey", str(self._folder / "key.pem"), "-CAcreateserial")
        openssl("x509", "-req", "-in", str(asked), *by, "-days", "2", "-out", str(file))
        return file, key

    def allow(self, rights: Sequence[str]) -> None:
        """Give rights by Kafka's own program, a line of arguments for each."""
        who = ("--bootstrap-server", self.servers, "--command-config", str(self._folder / "client.properties"))
        done = self._run(str(RIGHTS), *who, told="\n".join(rights))
        assert (done.returncode, done.stderr) == (0, ""), f"{done.stdout[-500:]}{done.stderr[-500:]}"

    def client(self) -> dict[str, Any]:
        return super().client() | {
            "security_protocol": "SASL_SSL",
            "ssl_context": create_default_context(cafile=self.certificate),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": _ADMIN,
            "sasl_plain_password": password(_ADMIN),
        }

    def _certify(self) -> None:
        """A key and a certificate that vouches for itself, as PEM."""
        key, certificate = self._folder / "key.pem", self._folder / "ca.pem"
        made = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key), "-out", str(certificate))
        openssl("req", *made, "-subj", "/CN=Lepton's tests", "-addext", "subjectAltName=IP:127.0.0.1")
        (self._folder / "broker.pem").write_text(key.read_text() + certificate.read_text())

    def _written(self) -> str:
        return PROPERTIES + SECURED + CLIENT

    def _places(self) -> dict[str, Any]:
        secret = password(_ADMIN)
        return super()._places() | {
            "tls": self.tls_port,
            "mutual": self.mutual_port,
            "secret": secret,
            "admin": f'username="{_ADMIN}" password="{secret}"',
            "scram": "org.apache.kafka.common.security.scram.ScramLoginModule",
            "plain": "org.apache.kafka.common.security.plain.PlainLoginModule",
        }

    def _users(self) -> list[str]:
        users = {_ADMIN: password(_ADMIN)} | {f"lepton-{role}": password(role) for role in ROLES}
        told = [f'SCRAM-SHA-512=[name="{name}",password="{secret}"]' for name, secret in users.items()]
        return [word for user in told for word in ("--add-scram", user)]


def openssl(*words: str) -> None:
    """Run openssl, which makes keys and certificates."""
    if not shutil.which("openssl"):
        raise NotHere("Kafka: openssl is not on the PATH, which makes its certificate")
    done = subprocess.run(("openssl", *words), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(f"Kafka: openssl makes no certificate: {done.stderr.strip()[-300:]}")


def password(role: str) -> str:
    """A role's password, with what a URL must escape."""
    return f"{role}/@ %:secret"
