"""Proof before each publication, from the database's own catalogue, that nobody sees more than his own rows.

What belongs here: questions to the catalogue. What does not: mending what they find.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from warehouse.publish.postgresql.connect import run
from warehouse.publish.student_access.tables import Access

# Each names objects that break one rule; %(schema)s, %(owner)s and %(roles)s are bound.
_QUESTIONS = {
    "table {} has no forced row-level security": """
        select c.relname from pg_class c where c.relnamespace = to_regnamespace(%(schema)s) and c.relkind in ('r', 'p')
        and not (c.relrowsecurity and c.relforcerowsecurity)""",
    "materialized view {} keeps rows outside row-level security": """
        select distinct v.oid::regclass::text from pg_depend d join pg_rewrite w on w.oid = d.objid
        join pg_class v on v.oid = w.ev_class join pg_class t on t.oid = d.refobjid
        where v.relkind = 'm' and t.relnamespace = to_regnamespace(%(schema)s)""",
    "view {} does not ask with the rights of whoever reads it": """
        select distinct v.oid::regclass::text from pg_depend d join pg_rewrite w on w.oid = d.objid
        join pg_class v on v.oid = w.ev_class join pg_class t on t.oid = d.refobjid
        where v.relkind = 'v' and t.relnamespace = to_regnamespace(%(schema)s)
        and not coalesce(v.reloptions @> '{security_invoker=true}', false)""",
    "role {} passes by row-level security": """
        select r.rolname from pg_roles r where (r.rolsuper or r.rolbypassrls)
        and (r.rolname = any(%(roles)s) or r.rolname = %(owner)s
            or (not r.rolsuper and exists (select 1 from pg_roles p where p.rolname = any(%(roles)s)
                and pg_has_role(r.oid, p.oid, 'member'))))""",
    "role {} owns the rows and can log in": """
        select r.rolname from pg_roles r where r.rolname = %(owner)s and r.rolcanlogin""",
    "role {} stands for two partners": """
        select r.rolname from pg_roles r where not r.rolsuper and r.rolname not in (%(owner)s, session_user)
        and (select count(*) from pg_roles p where p.rolname = any(%(roles)s)
            and pg_has_role(r.oid, p.oid, 'member')) > 1""",
    "role {} may do more than read its columns": """
        select distinct coalesce(g.rolname, 'public') from pg_class c, aclexplode(c.relacl) a
        left join pg_roles g on g.oid = a.grantee
        where c.relnamespace = to_regnamespace(%(schema)s) and coalesce(g.rolname, 'public') <> %(owner)s
        and not (c.relkind = 'v' and a.privilege_type = 'SELECT' and g.rolname = any(%(roles)s))
        union
        select distinct coalesce(g.rolname, 'public') from pg_class c
        join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a left join pg_roles g on g.oid = a.grantee
        where c.relnamespace = to_regnamespace(%(schema)s) and coalesce(g.rolname, 'public') <> %(owner)s
        and not (a.privilege_type = 'SELECT' and g.rolname = any(%(roles)s))""",
    "role {} may make objects in the schema": """
        select coalesce(g.rolname, 'public') from pg_namespace n, aclexplode(n.nspacl) a
        left join pg_roles g on g.oid = a.grantee where n.oid = to_regnamespace(%(schema)s)
        and a.privilege_type = 'CREATE' and coalesce(g.rolname, 'public') <> %(owner)s""",
}


def problems(con: psycopg.Connection, access: Access, partner_ids: Sequence[str]) -> list[str]:
    """What in the database would let somebody see or do more than he may; empty where nothing would.

    Args:
        con: connection in the role of the owner.
        access: names.
        partner_ids: all partners of the community, with a right or without.
    """
    if run(con, "select to_regclass(%s)", [access.table]).fetchone() == (None,):
        return []
    bound = {
        "schema": access.schema,
        "owner": access.owner,
        "roles": [access.role(partner_id) for partner_id in partner_ids],
    }
    told = []
    for sentence, question in _QUESTIONS.items():
        rows = con.execute(question.encode(), bound).fetchall()
        told += [sentence.format(name) for (name,) in sorted(rows)]
    found = run(con, f"select count(*) from {access.table}").fetchone()
    return told + ([] if found == (0,) else ["the owner sees rows"])
