import pytest

from tests.judge.pair import Pair


@pytest.fixture(scope="package")
def pair():
    server = Pair()
    yield server
    server.close()
