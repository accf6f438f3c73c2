"""Sending an alert by e-mail and webhook, with apprise.

What belongs here: where alerts go, and giving them there. What does not: their words (`events`).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from warehouse.alerts.events import Alert
from warehouse.community import Community, ConfigurationError
from warehouse.settings import Settings

_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


class AlertError(ConfigurationError):
    """A target of alerts is configured wrongly; names the target without its secret."""


@dataclass(frozen=True)
class AlertReport:
    """Whether a target took a message; `target` is told without secrets."""

    target: str
    sent: bool


def targets(
    community: Community, settings: Settings, environment: Mapping[str, str] | None = None
) -> list[str]:
    """Apprise URLs to which alerts go: `alerts.urls`, THROUGHLINE_ALERT_URLS, and `owner_email` by THROUGHLINE_SMTP_URL.

    `${NAME}` in `community.yml` stands for an environment variable, so that no password is in a file.

    Raises:
        AlertError: a variable is not set, or apprise does not know the URL.
    """
    known = os.environ if environment is None else environment
    found = [_filled(url, known) for url in community.config.alerts.urls]
    if settings.alert_urls is not None:
        found += settings.alert_urls.get_secret_value().split()
    if settings.smtp_url is not None and community.config.owner_email:
        server = settings.smtp_url.get_secret_value()
        joined = "&" if "?" in server else "?"
        found.append(f"{server}{joined}to={quote(community.config.owner_email)}")
    for url in found:
        _check(url)
    return found


def send_alert(alert: Alert, urls: list[str]) -> list[AlertReport]:
    """Give a message to every target; one that fails does not keep the others from it."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its messages can repeat a URL with its password
    levels = {
        "failure": apprise.NotifyType.FAILURE,
        "block": apprise.NotifyType.FAILURE,
        "late": apprise.NotifyType.WARNING,
        "held": apprise.NotifyType.WARNING,
        "recovery": apprise.NotifyType.SUCCESS,
    }
    reports = []
    for url in urls:
        target = apprise.Apprise()
        target.add(url)
        sent = target.notify(
            title=alert.title,
            body=alert.body,
            notify_type=levels[alert.kind],
            body_format=apprise.NotifyFormat.TEXT,
        )
        reports.append(AlertReport(masked(url), bool(sent)))
    return reports


def masked(url: str) -> str:
    """A target without user, password, path or token."""
    scheme, _, rest = url.partition("://")
    host = re.split(r"[/?]", rest.rpartition("@")[2] if "@" in re.split(r"[/?]", rest)[0] else rest)[0]
    return f"{scheme}://{host}" if "." in host or ":" in host or host == "localhost" else f"{scheme}://…"


def _filled(url: str, environment: Mapping[str, str]) -> str:
    missing = sorted({name for name in _VARIABLE.findall(url) if name not in environment})
    if missing:
        raise AlertError(
            f"community.yml, alerts.urls: {', '.join(missing)} is not set in the environment. Set it, or take the URL out."
        )
    return _VARIABLE.sub(lambda match: environment[match[1]], url)


def _check(url: str) -> None:
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        raise AlertError(
            f"alerts: {masked(url)} is no target that apprise knows. E-mail is mailtos://USER:PASSWORD@HOST?to=ADDRESS, "
            "a webhook jsons://HOST/PATH."
        )
