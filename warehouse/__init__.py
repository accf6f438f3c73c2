"""What is stored and what is published: settings, ledger, lake, vault, linkage, disclosure, releases.

What does not belong here: reading partners' files (ingestion), judging tables (expectations), wiring
(orchestration).
"""
