"""Alerts by e-mail and webhook: a night failed, was blocked, a feed is late, all is well again.

What belongs here: what is worth an alert, in which words, and sending it. What does not: finding out how a night went
(`orchestration.alerts`).
"""

from warehouse.alerts.events import Alert, NightOutcome, Result, due_alerts
from warehouse.alerts.send import AlertError, AlertReport, masked, send_alert, targets
from warehouse.alerts.state import AlertState, load_state, save_state

__all__ = [
    "Alert",
    "AlertError",
    "AlertReport",
    "AlertState",
    "NightOutcome",
    "Result",
    "due_alerts",
    "load_state",
    "masked",
    "save_state",
    "send_alert",
    "targets",
]
