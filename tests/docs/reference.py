"""The second half of docs/reference.md, written from the comments and grants of a migrated database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
MARK = "<!-- From here on this page is made from the database: make reference -->\n"

# Every function and view of the schema api stands in one group, under its concept.
GROUPS = {
    "Spending": "consume_tokens consume_call consume_tokens_batch quote_tokens report_refusal report_failure"
    " usage usage_by_tag failures modules",
    "Holds": "hold_tokens capture_hold release_hold extend_hold report_refused_capture set_overdraft_limit"
    " close_shortfall holds shortfalls",
    "Money in": "add_tokens add_package create_order attach_checkout cancel_order apply_stripe_event packs"
    " topups orders",
    "Money that comes back": "reversals replay_event dismiss_event",
    "Corrections": "refund_usage void_lot restore_lot change_expiry",
    "Automatic top-ups": "set_auto_topup stop_auto_topup auto_topup auto_topup_history",
    "Refunds of purchases": "request_refund refund_requests",
    "Calls to Stripe": "claim_stripe_calls report_stripe_call",
    "Subscriptions": "offer_plan start_free_plan payment_customer attach_customer plans subscriptions",
    "Accounts and balances": "open_account verify_email freeze_account thaw_account balance balance_versions"
    " lots entries receipt explain_balance",
    "Campaigns": "redeem_code referral_code referrals",
    "Guests": "guest_consume guest_allowance confirm_guest_use release_guest_use",
    "Limits and notices": "set_spend_limit lift_spend_limit set_low_balance reset_low_balance"
    " acknowledge_notices spend_limits notices",
    "Webhooks": "register_webhook disable_webhook enable_webhook renew_webhook_secret replay_webhook"
    " take_webhooks finish_webhook webhooks webhook_deliveries",
    "API keys": "create_api_key rotate_api_key revoke_api_key resolve_api_key api_keys",
    "Forgetting a user": "forget_user forgotten_users",
    "Comparing with Stripe": "read_stripe_list note_stripe_page missing_from_stripe replay_from_stripe",
    "Signing in": "sign_up find_credential begin_sign_up begin_sign_in finish_sign_in"
    " open_session refresh_session end_session end_sessions change_password",
    "Operating": "maintain operating_figures set_test_clock release",
}
CALLERS = {
    "anon": "anybody",
    "authenticated": "users",
    "spender": "spenders",
    "service_role": "services",
    "support": "support",
}
# A name of a program, or text that is set as code already.
NAME = re.compile(
    r"`[^`]*`|(?<![\w.`\"])(?:(?:api|audit|analytics|finance|credits)\.\w+|[a-z]+(?:_[a-z]+)+)\b(?![\"/])"
)

FUNCTIONS = """
    select p.proname, coalesce(p.proargnames, '{}'),
        array(
            select format_type(a.type, null)
            from unnest(p.proargtypes::oid[]) with ordinality as a (type, number) order by a.number
        ),
        array(
            select pg_get_function_arg_default(p.oid, n::integer)
            from generate_series(1, p.pronargs) as n order by n
        ),
        pg_get_function_result(p.oid), obj_description(p.oid, 'pg_proc'),
        array(select r from unnest(%s::text[]) as r where has_function_privilege(r, p.oid, 'execute'))
    from pg_proc as p where p.pronamespace = 'api'::regnamespace
    order by p.pronargs desc, p.proname
"""
VIEWS = """
    select c.relname, obj_description(c.oid, 'pg_class'),
        array(select r from unnest(%s::text[]) as r where has_table_privilege(r, c.oid, 'select')),
        array(
            select array[a.attname::text, format_type(a.atttypid, null), coalesce(d.description, '')]
            from pg_attribute as a
            left join pg_description as d
                on a.attrelid = d.objoid and d.classoid = 'pg_class'::regclass and d.objsubid = a.attnum
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum
        )
    from pg_class as c where c.relnamespace = %s::regnamespace and c.relkind = 'v' order by c.relname
"""
AUDIT_FUNCTIONS = """
    select format('%s(%s)', p.proname, array_to_string(p.proargnames[1:p.pronargs], ', ')),
        obj_description(p.oid, 'pg_proc')
    from pg_proc as p
    where p.pronamespace = 'audit'::regnamespace and has_function_privilege('support', p.oid, 'execute')
    order by 1
"""
TYPES = """
    select t.typname, obj_description(t.oid, 'pg_type'),
        array(
            select array[a.attname::text, format_type(a.atttypid, null)]
            from pg_attribute as a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum
        )
    from pg_type as t join pg_class as c on c.oid = t.typrelid and c.relkind = 'c'
    where t.typnamespace = 'api'::regnamespace order by t.typname
"""


def _plain_type(name: str) -> str:
    return re.sub(r"^timestamp with time zone$", "timestamptz", name).removeprefix("credits.")


def _default(text: str) -> str:
    """A default as one would write it: without the casts of PostgreSQL's spelling."""
    return re.sub(r"::[a-z ._]+(\[\])?", "", text).replace("NULL", "null")


def _coded(text: str) -> str:
    """Text with the names of programs in it set as code."""
    return NAME.sub(lambda found: found[0] if found[0][0] == "`" else f"`{found[0]}`", text)


def _people(roles: list[str]) -> str:
    words = [CALLERS[role] for role in roles]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def _prose(text: str, named: set[str]) -> Iterator[str]:
    """Paragraphs; a line that begins with the name of an argument or of a member is an item of a list."""
    for paragraph in text.strip().split("\n\n"):
        before, listed = "", False
        for line in paragraph.splitlines():
            word, colon, rest = line.partition(": ")
            if colon and word in named:
                if before and not listed:
                    yield ""
                yield f"- `{word}`: {_coded(rest)}"
                listed = True
            elif listed and before.endswith("."):
                yield ""
                yield _coded(line)
                listed = False
            else:
                yield ("  " if listed else "") + _coded(line)
            before = line
        yield ""


def _refusals(text: str) -> str:
    """The promise `Raises PT402 slug (facts), PT404 slug or slug …`, by status."""
    found: dict[str, list[str]] = {}
    for status, words in re.findall(r"PT(\d{3})((?:(?!PT\d{3}).)*)", text.replace("\n", " ")):
        found.setdefault(status, []).append(_coded(words.strip(" ,.")).replace("busy", "`busy`"))
    return "; ".join(f"**{status}** {', '.join(words)}" for status, words in sorted(found.items()))


def _function(row: tuple[Any, ...]) -> Iterator[str]:
    _, names, types, defaults, result, comment, roles = row
    arguments = [
        f"{name} {_plain_type(kind)}" + (f" = {_default(default)}" if default else "")
        for name, kind, default in zip(names, types, defaults, strict=True)
    ]
    answer = result.removeprefix("api.")
    yield "```"
    yield from _wrapped(row[0], arguments)
    yield "```"
    yield ""
    yield f"For {_people(roles)}. Returns [`{answer}`](#{answer})."
    yield ""
    prose, _, raises = comment.rpartition("Raises ")
    for_them = r"\s+".join(["For", *_people(roles).split()]) + r"\."  # which the line above says
    prose = re.sub(rf"(?<!\n)\s{for_them}|(?<=\n\n){for_them}\s", "", prose)
    yield from _prose(prose, set(names))
    if refusals := _refusals(raises):
        yield f"Refusals: {refusals}."
    else:
        yield f"Refusals: {_coded(raises)}"
    yield ""


def _wrapped(name: str, arguments: list[str]) -> Iterator[str]:
    whole = f"{name}({', '.join(arguments)})"
    if len(whole) <= 110:
        yield whole
        return
    yield f"{name}("
    for argument in arguments[:-1]:
        yield f"    {argument},"
    yield f"    {arguments[-1]}"
    yield ")"


def _view(row: tuple[Any, ...], heading: str) -> Iterator[str]:
    name, comment, roles, columns = row
    yield f"{heading} {name}"
    yield ""
    says_so = f"For {_people(roles)}" in comment
    yield f"{_coded(comment)} " + (f"For {_people(roles)}." if roles and not says_so else "")
    yield ""
    yield from _table(
        ["column", "type", "what"], [[f"`{c}`", _plain_type(kind), _coded(what)] for c, kind, what in columns]
    )


def _group(
    title: str, functions: dict[str, list[Any]], views: dict[str, Any], names: list[str]
) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    for name in names:
        if name in functions:
            yield f"### {name}"
            yield ""
            for row in functions[name]:
                yield from _function(row)
        else:
            yield from _view(views[name], "### View")


def lines(db: psycopg.Connection[Any]) -> Iterator[str]:
    roles = list(CALLERS)
    functions: dict[str, list[Any]] = {}
    for row in db.execute(FUNCTIONS, (roles,)).fetchall():
        functions.setdefault(row[0], []).append(row)
    views = {row[0]: row for row in db.execute(VIEWS, (roles, "api")).fetchall()}
    listed = [name for names in GROUPS.values() for name in names.split()]
    if wrong := set(listed) ^ (set(functions) | set(views)):
        raise LookupError(f"tests/docs/reference.py: GROUPS and the schema api differ in {sorted(wrong)}")

    yield from _table(
        ["concept", "functions", "views"],
        [
            [
                f"[{title}](#{title.lower().replace(' ', '-')})",
                " ".join(f"[`{n}`](#{n})" for n in names.split() if n in functions),
                " ".join(f"[`{n}`](#view-{n})" for n in names.split() if n in views),
            ]
            for title, names in GROUPS.items()
        ],
    )
    for title, names in GROUPS.items():
        yield from _group(title, functions, views, names.split())

    yield "## Answers"
    yield ""
    for name, comment, members in db.execute(TYPES).fetchall():
        yield f"### {name}"
        yield ""
        yield from _prose(comment, {member for member, _ in members})
        yield ", ".join(f"`{member}` {_plain_type(kind)}" for member, kind in members)
        yield ""

    yield "## Stripe events"
    yield ""
    yield "What `apply_stripe_event` does with each type of event. Events of other types are stored, and move"
    yield "nothing."
    yield "[Money that comes back](money-back.md) explains the rules."
    yield ""
    events = db.execute("select type, effect from credits.event_types").fetchall()
    yield from _table(["type", "what it does"], [[f"`{kind}`", effect] for kind, effect in events])

    yield "## Figures"
    yield ""
    yield "Views of the schema `analytics`. An analyst sees the accounts that `credits.analyst_grants` names."
    yield ""
    for row in db.execute(VIEWS, ([], "analytics")).fetchall():
        yield from _view(row, "###")

    yield "## Finance"
    yield ""
    yield "Views of the schema `finance`, for accountants: [finance.md](finance.md)."
    yield ""
    for row in db.execute(VIEWS, ([], "finance")).fetchall():
        yield from _view(row, "###")

    yield "## Audit"
    yield ""
    yield "Views of the schema `audit`, for auditors. A check has no row while the books are sound."
    yield "`pgcredits audit` runs all checks: [auditing.md](auditing.md)."
    yield ""
    views = [(name, what) for name, what, _, _ in db.execute(VIEWS, ([], "audit")).fetchall()]
    yield from _table(
        ["check", "what is true of sound books", "a row means", "what to do"],
        [[f"`{name}`", *_advised(what)] for name, what in views if name.startswith("check_")],
    )
    yield from _table(
        ["other view", "what"],
        [[f"`{name}`", _coded(what)] for name, what in views if not name.startswith("check_")],
    )
    called = db.execute(AUDIT_FUNCTIONS).fetchall()
    yield from _table(
        ["function, also for support", "what"], [[f"`{n}`", _coded(what)] for n, what in called]
    )


def _advised(comment: str) -> list[str]:
    """The paragraphs of a check's comment: the rule, what a row means, and what to do."""
    rule, means, action = [*comment.split("\n\n"), "", ""][:3]
    means, action = means.removeprefix("A row means: "), action.removeprefix("What to do: ")
    return [_coded(rule), *(_coded(text[:1].upper() + text[1:]) for text in (means, action))]


def page(db: psycopg.Connection[Any], kept: str) -> str:
    """The page as it should be: what people wrote above the mark, and what the database says below it."""
    above, mark, _ = kept.partition(MARK)
    assert mark, f"{PAGE.name} has no mark"
    return above + mark + "\n" + "\n".join(line.rstrip() for line in lines(db)).rstrip() + "\n"
