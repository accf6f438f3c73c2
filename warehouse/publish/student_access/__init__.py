"""Target `student_access`: for partners with a right to them, rows of the people they serve, behind row-level security.

What belongs here: the target (`target`), its rows (`rows`), tables and roles (`tables`), the proof that nobody sees more
(`audit`). What does not: anything public.
"""

from warehouse.publish.student_access.target import Target

__all__ = ["Target"]
