"""Where a cluster is, and how to connect to it: nothing leaves this machine unencrypted."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from autograder.errors import AutograderError

if TYPE_CHECKING:  # an extra of the package, and slow to import
    from distributed import Client, Security

CONNECT_SECONDS = 10.0


class ClusterError(AutograderError):
    """The cluster can't be used, or was lost. What was recorded is kept."""


@dataclass(frozen=True)
class Place:
    """A cluster, and the files with which this machine and the cluster trust each other.

    Attributes:
        address: the scheduler's address; "auto": Dask's setting `scheduler-address`.
        ca: certificate of the authority that both sides trust.
        cert: this machine's certificate.
        key: this machine's private key.
    """

    address: str
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


def require_distributed() -> None:
    """Make sure that Dask is installed.

    Raises:
        ClusterError: it is not.
    """
    if find_spec("distributed") is None:
        raise ClusterError(
            "a cluster needs Dask, which is not installed",
            "run: pip install 'convnet-course[cluster]'",
        )


def connect(place: Place) -> Client:
    """Connect to a scheduler.

    Raises:
        ClusterError: it can't be reached, or the connection would not be encrypted.
    """
    import dask.config
    from distributed import Client

    address = place.address
    if address == "auto":
        address = dask.config.get("scheduler-address", None) or ""
        if not address:
            raise ClusterError(
                "--cluster auto: Dask's configuration has no scheduler-address",
                "give the address: --cluster tls://HOST:8786",
            )
    require_encryption(address)
    files = security(place)
    if address.startswith("tls://") and not files.get_connection_args("client")["ssl_context"]:
        raise ClusterError(
            f"the cluster {address} is encrypted, and no file says whom this machine trusts",
            "give --tls-ca, --tls-cert and --tls-key (docs/scale.md); nothing was run",
        )
    try:
        return Client(address, security=files, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError, RuntimeError, TypeError) as error:
        problem = " ".join(str(error).splitlines()[:1]) or repr(error)
        raise ClusterError(
            f"no cluster answers at {address}: {problem:.200}",
            "check the address, that the scheduler runs ('autograder cluster local', or 'dask"
            " scheduler'), and --tls-ca, --tls-cert and --tls-key; nothing was run",
        ) from error


def require_encryption(address: str) -> None:
    """Make sure that what leaves this machine is encrypted.

    Raises:
        ClusterError: the address is another machine's, and without TLS.
    """
    host = address.rpartition("://")[2].rpartition(":")[0]
    if not address.startswith("tls://") and host not in ("127.0.0.1", "localhost", "[::1]"):
        raise ClusterError(
            f"the cluster's address is {address}, without encryption: whoever reaches its scheduler"
            " could run programs on it, and read submissions and hidden tests",
            "use tls://HOST:PORT with --tls-ca, --tls-cert and --tls-key (docs/scale.md)",
        )


def security(place: Place) -> Security:
    """The files of TLS, from the command line or else from Dask's configuration."""
    from distributed import Security

    stated = {
        "tls_ca_file": place.ca,
        "tls_client_cert": place.cert,
        "tls_client_key": place.key,
    }
    return Security(**{name: value for name, value in stated.items() if value})
