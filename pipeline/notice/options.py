"""Options of the notice at the end of a run."""

import os
import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_serializer, field_validator, model_validator

from components.tools.passwords import MASK
from components.tools.section import Section


class NotifyOptions(Section):
    """Who is told when a run ends."""

    webhook: SecretStr | None = Field(
        None, description="URL that is sent a JSON object at the end of a run, by POST; it is shown nowhere"
    )
    webhook_env: str | None = Field(
        None,
        description="name of the environment variable with that URL; on Kubeflow the only way, filled by "
        "`kubeflow.components.Notice.secret_env`",
    )
    host: str | None = Field(
        None,
        description="Kubeflow Pipelines' API as pods reach it, to ask what became of the tasks; null: "
        "`http://ml-pipeline.kubeflow:8888`",
    )

    @field_validator("webhook")
    @classmethod
    def _is_url(cls, webhook: SecretStr | None) -> SecretStr | None:
        if webhook is not None and webhook.get_secret_value() != MASK:
            check_url(webhook.get_secret_value())
        return webhook

    @field_serializer("webhook")
    def _hidden(self, webhook: SecretStr | None) -> str | None:
        return None if webhook is None else MASK

    @field_validator("webhook_env")
    @classmethod
    def _is_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ValueError("it is the name of a variable, not its value")
        return name

    @model_validator(mode="after")
    def _one_way(self) -> "NotifyOptions":
        if self.webhook is not None and self.webhook_env is not None:
            raise ValueError(f"notify.webhook and notify.webhook_env say the same: set one. Received: {MASK}")
        return self

    @property
    def wanted(self) -> bool:
        """Whether anybody is told."""
        return self.webhook is not None or self.webhook_env is not None

    def url(self) -> str:
        """Return the URL to send to.

        Raises:
            ValueError: it isn't there, or is none; the message doesn't show it.
        """
        if self.webhook_env is not None:
            found = os.environ.get(self.webhook_env, "").strip()
            if not found:
                raise ValueError(f"notify.webhook_env: the variable {self.webhook_env} is empty")
            return check_url(found, f"notify.webhook_env: the value of {self.webhook_env}")
        return check_url(self.webhook.get_secret_value() if self.webhook else "", "notify.webhook")


def check_url(url: str, what: str = "it") -> str:
    """Return a URL that can be sent to.

    Raises:
        ValueError: it can't; the message doesn't show it.
    """
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fits = False
    if not fits or not re.fullmatch(r"[!-~]+", url):
        raise ValueError(f"{what} must be an http:// or https:// URL")
    return url
