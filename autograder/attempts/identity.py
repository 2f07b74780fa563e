"""Finds out who sends a request: by a token of the course, or by a token of JupyterHub."""

from __future__ import annotations

import os
from typing import Any

from autograder.attempts.settings import AttemptServiceError, ServiceSettings
from autograder.attempts.store import Store
from autograder.attempts.tokens import Person, Signer, TokenError, usable_id


class Identity:
    """Checks tokens.

    Args:
        signer: checks the course's own tokens.
        store: knows which tokens were revoked.
        settings: the service's settings.

    Raises:
        AttemptServiceError: this is a service of JupyterHub, but the package jupyterhub is missing.
    """

    def __init__(self, signer: Signer, store: Store, settings: ServiceSettings) -> None:
        self._signer, self._store, self._group = signer, store, settings.hub_group
        self._hub = _hub_auth() if os.environ.get("JUPYTERHUB_API_TOKEN") else None

    def of(self, token: str) -> Person:
        """The person to whom a token belongs.

        Raises:
            TokenError: the token is refused.
        """
        if "." in token or self._hub is None:  # JupyterHub's own tokens have no dot
            return self._signer.check(token, self._store.revoked_before)
        user = self._hub.user_for_token(token)
        if user is None or user.get("kind", "user") != "user" or not usable_id(user["name"]):
            raise TokenError("JupyterHub doesn't know this token", "log in to JupyterHub again")
        needed = self._hub.access_scopes  # of a class on a hub that serves several
        if needed and not self._hub.check_scopes(needed, user):
            raise TokenError(
                "JupyterHub gives you no access to this course",
                "ask your instructor to add you to the course's group",
            )
        groups = user.get("groups", [])
        return Person(user["name"], bool(user.get("admin")) or self._group in groups)


def _hub_auth() -> Any:
    try:
        from jupyterhub.services.auth import HubAuth
    except ModuleNotFoundError as error:
        raise AttemptServiceError(
            "JUPYTERHUB_API_TOKEN is set, but the package jupyterhub is not installed",
            "pip install 'convnet-course[hub]', or unset JUPYTERHUB_API_TOKEN to use the course's"
            " own tokens only",
        ) from error
    return HubAuth(cache_max_age=30)
