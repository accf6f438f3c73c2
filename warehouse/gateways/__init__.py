"""Gateways beside the marts: what was released of them so far, and what-if.

What belongs here: reading what models made, and judging changed copies of it by the same models. What does not: the
rules (`dbt_project`).
"""

from warehouse.gateways.history import gateway_history, status_on
from warehouse.gateways.what_if import GatewayChange, WhatIfError, what_if

__all__ = ["GatewayChange", "WhatIfError", "gateway_history", "status_on", "what_if"]
