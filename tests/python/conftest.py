"""What the tests share: one town of their own in the running service."""

import httpx
import pytest

import service


def pytest_report_header() -> str:
    return f"service {service.URL}, document {service.DOCUMENT.name}"


@pytest.fixture(scope="session")
def town() -> service.Town:
    return service.make_town()


@pytest.fixture(scope="session")
def editor(town: service.Town):
    """Signed in as the town's editor."""
    with town.editor.client() as client:
        yield client


@pytest.fixture(scope="session")
def admin(town: service.Town):
    """Signed in as the town's administrator."""
    with town.admin.client() as client:
        yield client


@pytest.fixture(scope="session")
def anonymous():
    """Nobody."""
    with httpx.Client(base_url=service.URL, timeout=30) as client:
        yield client
