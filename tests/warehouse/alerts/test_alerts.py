"""Alerts: the right ones, once, delivered to real servers on loopback, without secrets or people in them."""

from __future__ import annotations

import email
import importlib.util
from dataclasses import replace
from email.header import decode_header, make_header
from pathlib import Path
from types import ModuleType

import pytest

from warehouse.alerts import (
    Alert,
    AlertError,
    AlertState,
    NightOutcome,
    due_alerts,
    masked,
    send_alert,
    targets,
)
from warehouse.community import Community, load_community
from warehouse.settings import Settings

ALL = ("failure", "block", "held", "late", "recovery")


@pytest.fixture(scope="module")
def servers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("alert_servers", Path(__file__).with_name("servers.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _community(root: Path, more: str = "") -> Community:
    root.mkdir(exist_ok=True)
    (root / "community.yml").write_text(f"community_id: town\nname: Town\n{more}")
    return load_community(root)


def _night(run: str, result: str = "ok", late: tuple[str, ...] = ()) -> NightOutcome:
    return NightOutcome(
        run, result, ["a rule: broken. Fix: mend it."] if result != "ok" else [], late, "00003-ab"
    )  # type: ignore[arg-type]


def _kinds(alerts: list[Alert]) -> list[str]:
    return [alert.kind for alert in alerts]


def test_a_run_of_nights_is_told_as_people_would_want_it() -> None:
    """If not, people get no message, or so many that they stop reading."""
    state, told = AlertState(), []
    for night in (
        _night("1"),
        _night("2", "block"),
        _night("2", "block"),  # the sensor sees the run that the command has told already
        _night("3", "failure", ("a/x",)),
        _night("4", "ok", ("a/x", "b/y")),
        _night("5", "ok", ("b/y",)),
        _night("6", "ok", ("b/y",)),
    ):
        alerts, state = due_alerts("Town", state, night, ALL)
        told.append(_kinds(alerts))
    assert told == [[], ["block"], [], ["failure", "late"], ["recovery", "late"], ["recovery"], []]


def test_a_held_delivery_is_told_once_and_with_its_reason() -> None:
    """If not, a partner's figures stay old and nobody asks for the corrected file, or people are told every night."""
    held = NightOutcome("1", "ok", held={"d1": "a/x, delivery d1: t_rule: Wrong. Fix: Mend."})
    (alert,), state = due_alerts("Town", AlertState(), held, ALL)
    assert alert.kind == "held" and "t_rule" in alert.body
    assert due_alerts("Town", state, replace(held, run_id="2"), ALL)[0] == []
    more = replace(held, run_id="3", held={**held.held, "d2": "b/y, delivery d2: t_rule."})
    (alert,), _ = due_alerts("Town", state, more, ALL)
    assert "d2" in alert.body and "d1" not in alert.body


def test_only_the_kinds_asked_for_are_sent() -> None:
    """If not, a community cannot keep lateness to itself."""
    alerts, state = due_alerts("Town", AlertState(), _night("1", "failure", ("a/x",)), ["late"])
    assert _kinds(alerts) == ["late"]
    assert state.last == "failure"


def test_a_long_list_is_cut_and_counted() -> None:
    """If not, a message of a bad day is too long to read."""
    late = tuple(f"p/f{n}" for n in range(30))
    alerts, _ = due_alerts("Town", AlertState(), _night("1", "ok", late), ALL)
    assert "and 18 more" in alerts[0].body and "p/f12" not in alerts[0].body


def test_webhook_and_mail_arrive(tmp_path: Path, servers: ModuleType) -> None:
    """If not, a failed night is found out by whoever misses the figures."""
    with servers.web_server() as (web, posted), servers.mail_server() as (mail, letters):
        community = _community(
            tmp_path / "town",
            "owner_email: data.team@town.example\n"
            f"alerts: {{urls: ['json://user:${{HOOK_PASSWORD}}@127.0.0.1:{web}/hook']}}\n",
        )
        settings = Settings(smtp_url=f"mailto://127.0.0.1:{mail}?from=night@town.example&mode=insecure")
        urls = targets(community, settings, {"HOOK_PASSWORD": "s3cret"})
        alert = Alert("block", "Town: nothing was published", "- marts.x rule: why. Fix: how.")
        assert all(report.sent for report in send_alert(alert, urls))
    assert posted[0]["title"] == alert.title and posted[0]["type"] == "failure"
    letter = email.message_from_string(letters[0])
    assert str(make_header(decode_header(letter["Subject"]))) == alert.title
    assert letter["To"] == "data.team@town.example"


def test_a_target_that_fails_keeps_no_other_from_it(servers: ModuleType) -> None:
    """If not, one dead webhook silences the e-mail."""
    with servers.web_server(500) as (bad, _), servers.web_server() as (good, posted):
        urls = [f"json://127.0.0.1:{bad}", f"json://127.0.0.1:{good}"]
        assert [r.sent for r in send_alert(Alert("late", "t", "b"), urls)] == [False, True]
    assert len(posted) == 1


def test_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    """If not, nobody finds out why no alert came."""
    community = _community(tmp_path / "town", "alerts: {urls: ['json://u:${HOOK_PASSWORD}@h.example/x']}\n")
    with pytest.raises(AlertError, match="HOOK_PASSWORD is not set"):
        targets(community, Settings(), {})


def test_an_unknown_kind_of_target_is_told_without_its_secret(tmp_path: Path) -> None:
    """If not, a password stands in a log."""
    community = _community(tmp_path / "town", "alerts: {urls: ['pigeon://u:s3cret@h.example/token']}\n")
    with pytest.raises(AlertError) as error:
        targets(community, Settings(), {})
    assert "pigeon://h.example" in str(error.value)
    assert "s3cret" not in str(error.value) and "token" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    ["slack://T1/B2/s3cret", "mailtos://a:s3cret@mail.example:465?to=x@y.example", "json://h.example/s3cret"],
)
def test_a_target_is_named_without_its_secret(url: str) -> None:
    """If not, a token is printed by `throughline alert show`."""
    assert "s3cret" not in masked(url) and masked(url).split("://")[0] == url.split("://")[0]
