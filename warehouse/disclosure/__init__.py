"""Disclosure control: what must be withheld so that no published table, alone or with others, tells of a person.

What belongs here: the joint model of all tables, suppression, the attacker, coding and rounding. What does not: how
a release is made (`warehouse.release`).
"""
