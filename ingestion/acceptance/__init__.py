"""Acceptance: each row of a file is accepted, or put aside with every reason; nothing is lost.

What belongs here: judging rows and storing what came of it. What does not: file formats (`readers`) and finding
files (`landing`).
"""

from ingestion.acceptance.findings import Finding
from ingestion.acceptance.judge_file import Judgement, judge_file
from ingestion.acceptance.mend import mend_lake
from ingestion.acceptance.outcome import DeliveryOutcome
from ingestion.acceptance.receive import check_file, receive_all

__all__ = ["DeliveryOutcome", "Finding", "Judgement", "check_file", "judge_file", "mend_lake", "receive_all"]
