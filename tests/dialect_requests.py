"""Requests for the comparison with PostgREST: written by hand, and generated."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Asked:
    """A request. `path` is encoded already."""

    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def __str__(self) -> str:
        told = "".join(f" {name}: {value}" for name, value in self.headers.items())
        return f"{self.method} {self.path}{told}" + (
            f" {json.dumps(self.body)}" if self.body is not None else ""
        )


def encoded(query: str) -> str:
    """A query string that is written for people. A & always separates, and the first = of a pair."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, _, value in pairs)


def things(query: str, method: str = "GET", **headers: str) -> Asked:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asked(f"/things?{encoded(query)}" if query else "/things", method, told)


def function(name: str, query: str = "", body: Any = None, **headers: str) -> Asked:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/rpc/{name}?{encoded(query)}" if query else f"/rpc/{name}"
    return Asked(path, "GET" if body is None else "POST", told, body)


SELECTS = """
*
id
id,name
name,id,amount
id, name
 id , name
n:name,id
_n:name
"a b":name
"id"
"odd name"
odd name
"we""ird%s"
"select"
select
id,*
id,id
id::text
amount::integer
big::text
n:big::text
amount::numeric,active::text
tags::text
facts->word
facts->>word
facts->deep->list
facts->deep->list->0
facts->deep->list->>2
facts->deep->list->-1
facts->"odd key"
facts->>odd key
w:facts->>word
facts->>n::integer
facts->n::text
plain->0
plain->1->k
plain->1->>k
tags->0
tags->>0
name->x
facts->nothing
facts->deep->nothing->more
made,day
made::date
day::text
span
span::text
id,facts
id::nonsense
id::regclass
nonsense
id,
,id
id name
id:
:id
a:b:id
id::
facts->
facts->>
(id)
count()
id.sum()
amount.avg()
holds(*)
...holds(id)
holds!inner(id)
id;drop
id--
"id
""".strip("\n").split("\n")

FILTERS = """
id=eq.3
id=neq.3
id=gt.3
id=gte.3
id=lt.3
id=lte.3
id=eq.
id=eq.abc
id=gt.abc
id=3
id=
id=foo.3
id=not.eq.3
id=not.gt.3
id=not.not.eq.3
id=gt.3&id=lt.8
name=eq.alpha
name=eq.gamma,delta
name=eq.a "quoted" name
name=eq.per%cent
name=eq.back\\slash
name=eq."alpha"
name=eq.null
name=eq.émile
name=like.*a
name=like.*a*
name=like.%a%
name=ilike.B*
name=ilike.*E*
name=like.x_y
name=not.like.*a
name=like(any).{*a,x*}
name=like(all).{*a*,*l*}
name=ilike(any).{A*,B*}
name=match.^a
name=imatch.^B
name=match(any).{^a,^x}
name=not.match.^a
name=match.(
id=eq(any).{1,2,3}
id=gt(all).{1,2,3}
id=gte(any).{10,11}
id=lt(any).{2}
id=not.eq(any).{1,2}
id=neq(any).{1,2}
id=eq(some).{1}
id=eq(any).1
id=in.(1,2,3)
id=in.(1)
id=in.()
id=not.in.(1,2)
id=in.(1,2
id=in.1,2
id=in.(1, 2)
id=in.(a)
name=in.(alpha,Beta)
name=in.("gamma,delta",alpha)
name=in.("a \\"quoted\\" name")
name=in.(a "quoted" name)
name=in.("(round)")
name=in.(null)
name=in.("back\\\\slash")
name=is.null
name=not.is.null
name=is.NULL
active=is.true
active=is.false
active=is.unknown
active=not.is.true
active=is.nonsense
active=is.
active=eq.true
active=eq.t
active=eq.nonsense
name=isdistinct.alpha
amount=isdistinct.1.5
amount=not.isdistinct.1.5
amount=gt.1.5
amount=eq.1.50
amount=eq.1e0
tags=cs.{t1}
tags=cs.{all,t2}
tags=cd.{t1,all,"two words"}
tags=ov.{t0,t1}
tags=not.cs.{t1}
tags=eq.{t1,all,"two words"}
tags=cs.t1
facts=cs.{"n": 2}
facts=cs.{"deep":{"list":[2]}}
facts=cd.{}
facts=cs.nonsense
span=cs.3
span=cs.[3,4)
span=ov.[1,3)
span=sl.[10,12)
span=sr.[1,3)
span=nxr.[1,8)
span=nxl.[6,9)
span=adj.[1,3)
span=sl.nonsense
body=fts.fox
body=fts(english).fox
body=plfts.lazy dog
body=plfts(english).foxes
body=phfts.lazy dog
body=wfts.fox or dog
body=wfts(english).-fox
body=not.fts.fox
body=fts.fox dog
body=fts(nonsense).fox
made=gt.2026-01-05
made=gte.2026-01-05T00:00:00Z
made=lt.2026-01-05 12:00:00+00
day=eq.2026-01-04
day=eq.nonsense
facts->>word=eq.b
facts->>word=in.(b,c)
facts->word=eq."b"
facts->n=eq.2
facts->>n=gt.3
facts->deep->list->0=eq.2
facts->deep->>list=like.*end*
facts->"odd key"=eq."v1"
facts->>odd key=eq.v1
facts->none=is.null
facts->>none=is.null
facts->>nothing=not.is.null
plain->1->>k=eq.1
tags->>0=eq.t1
odd name=eq.odd 1
"odd name"=eq.odd 1
nonsense=eq.1
nonsense.id=eq.1
or=(id.eq.1,id.eq.2)
or=(id.eq.1)
and=(id.gt.1,id.lt.4)
or=(id.eq.1,and(id.gt.3,id.lt.6))
and=(or(id.eq.1,id.eq.2),name.like.*a)
not.or=(id.eq.1,id.eq.2)
not.and=(id.gt.1,id.lt.4)
or=(not.and(id.gt.1,id.lt.11),id.eq.5)
or=(id.not.eq.1,name.is.null)
or=(name.eq."gamma,delta",name.eq.alpha)
or=(name.in.(alpha,"gamma,delta"),id.eq.5)
or=(tags.cs.{t1,all},id.eq.3)
or=(span.cs."[3,4)",id.eq.1)
or=(facts->>word.eq.b,id.eq.1)
or=(facts.cs.{"n":1},id.eq.2)
or=(name.like.*a,name.ilike.b*)
or=(id.eq(any).{1,2},id.eq.5)
or=(body.fts(english).fox,id.eq.5)
or=(name.eq.(round),id.eq.1)
or=(name.eq."(round)",id.eq.1)
or=( id.eq.1 , id.eq.2 )
or=(id.eq.1, id.eq.2)
or=()
or=(id.eq.1
or=id.eq.1
or=(id.eq.1))
or=(id.eq.1,)
or=(,id.eq.1)
or=(id.foo.1)
or=(nonsense.eq.1)
or=(id)
or=(id.eq.1,xor(id.eq.2))
or=(id.eq.1,id.eq.2)&name=like.a*
or=(id.lt.4,id.gt.9)&or=(id.eq.1,id.eq.10)
and=(name.not.is.null,or(amount.gt.5,not.and(active.is.true,id.lt.5)))
columns=id
on_conflict=id
""".strip("\n").split("\n")

ORDERS = """
id
id.desc
name
name.asc
name.desc.nullslast
name.nullsfirst
name.nullslast
name.desc.nullsfirst,id.asc
active,id.desc
facts->>word.desc
facts->n
facts->n.desc.nullslast
facts->deep->list->0.desc
facts->deep->list->>0.asc.nullsfirst
"odd name",id
odd name.desc,id.desc
nonsense
id.down
id.asc.desc
id.nullslast.desc
id,
id.desc,,name
id desc
id;drop
""".strip("\n").split("\n")

PAGES: list[tuple[str, dict[str, str]]] = [
    ("limit=3", {}),
    ("limit=3&offset=2", {}),
    ("offset=10", {}),
    ("limit=0", {}),
    ("limit=100", {}),
    ("offset=12", {}),
    ("offset=50", {}),
    ("limit=-1", {}),
    ("limit=abc", {}),
    ("offset=abc", {}),
    ("limit=", {}),
    ("limit=1.5", {}),
    ("offset=-1", {}),
    ("", {"Range": "0-4"}),
    ("", {"Range": "2-"}),
    ("", {"Range": "5-1"}),
    ("", {"Range": "0-100"}),
    ("", {"Range": "50-60"}),
    ("", {"Range": "bytes=0-4"}),
    ("", {"Range": "nonsense"}),
    ("", {"Range": "0-4", "Range-Unit": "items"}),
    ("limit=2", {"Range": "0-4"}),
    ("limit=5&offset=2", {"Range": "0-2"}),
    ("limit=2", {"Range": "5-9"}),
    ("offset=3", {"Range": "0-4"}),
]
COUNTS = [{}, {"Prefer": "count=exact"}]
PREFERENCES = [
    "count=exact",
    "count=planned",
    "count=estimated",
    "count=nonsense",
    "handling=strict",
    "handling=lenient",
    "handling=strict, foo=bar",
    "handling=lenient, foo=bar",
    "foo=bar",
    "handling=strict, count=exact",
    "handling=strict, count=nonsense",
    "return=representation",
    "return=minimal",
    "resolution=merge-duplicates",
    "missing=default",
    "count=exact,handling=strict",
    "handling=strict, return=representation",
    "tx=commit",
    "tx=rollback",
    "max-affected=1",
    "timezone=Europe/Paris",
    "params=multiple-objects",
    "",
]
ACCEPTS = [
    "*/*",
    "application/json",
    "text/csv",
    "application/vnd.pgrst.object+json",
    "application/vnd.pgrst.object",
    "application/vnd.pgrst.array+json;nulls=stripped",
    "application/vnd.pgrst.array+json; nulls=stripped",
    "application/vnd.pgrst.array+json",
    "application/vnd.pgrst.object+json;nulls=stripped",
    "application/json;q=0.2, text/csv",
    "text/html, application/json",
    "text/html",
    "application/octet-stream",
    "application/xml, */*;q=0.1",
    "application/vnd.pgrst.plan",
    "application/vnd.pgrst.plan+json",
    "application/geo+json",
]


def written() -> Iterator[Asked]:
    """Requests that are written by hand."""
    for select in SELECTS:
        yield things(f"select={select}&order=id&limit=8")
    yield Asked("/things?select=")
    for filtered in FILTERS:
        yield things(f"{filtered}&select=id,name&order=id")
    for order in ORDERS:
        yield things(f"order={order}&select=id,name&limit=12")
    for query, headers in PAGES:
        for count in COUNTS:
            for method in ("GET", "HEAD"):
                yield things(f"select=id&order=id&{query}".rstrip("&"), method, **headers | count)
    for preference in PREFERENCES:
        yield things("select=id&limit=3&order=id", Prefer=preference)
    for accept in ACCEPTS:
        for query in ("id=eq.4", "id=lt.6&order=id", "id=eq.400", "id=eq.7&select=id,name"):
            yield things(query, Accept=accept)
    yield from _functions()
    yield from _others()


def _functions() -> Iterator[Asked]:
    shapes = [
        "",
        "select=id,name",
        "select=n:name,facts->>word&order=id.desc",
        "id=gt.5&select=id",
        "or=(id.eq.3,id.eq.5)&select=id",
        "limit=2&offset=1&order=id&select=id",
        "select=nonsense",
        "id=lt.0&select=id",
    ]
    for shape in shapes:
        for headers in ({}, {"Prefer": "count=exact"}, {"Accept": "text/csv"}):
            yield function("things_from", f"first=3&{shape}".rstrip("&"), **headers)
            yield function("things_from", shape, {"first": 3}, **headers)
    for shape in (
        "",
        "select=a",
        "select=b,x:c->k",
        "a=eq.4",
        "a=eq.5&select=a",
        "b=eq.w&select=a",
        "select=c->k->0",
    ):
        yield function("thing_pair", f"a=4&{shape}".rstrip("&"))
        yield function("thing_pair", shape, {"a": 4})
        yield function("thing_pair", shape, {"a": 4}, Accept="application/vnd.pgrst.object+json")
    for accept in ACCEPTS:
        yield function("thing_pair", "", {"a": 4}, Accept=accept)
        yield function("thing_table", "order=n", {"up_to": 3}, Accept=accept)
        yield function("thing_numbers", "", {}, Accept=accept)
        yield function("thing_seven", "", {}, Accept=accept)
    for shape in (
        "",
        "select=n,square",
        "n=gt.2&order=n.desc",
        "word=is.null&select=n",
        "limit=1",
        "square=in.(4,9)",
    ):
        yield function("thing_table", f"up_to=4&{shape}".rstrip("&"))
        yield function("thing_table", shape, {"up_to": 4}, Prefer="count=exact")
    for shape in ("", "limit=2", "offset=5", "select=*", "limit=2&offset=1"):
        for headers in ({}, {"Prefer": "count=exact"}):
            yield function("thing_numbers", shape, **headers)
            yield function("thing_numbers", shape, {}, **headers)
            yield function("thing_seven", shape, {}, **headers)
    yield function("thing_numbers", "", Range="1-3")
    yield function("thing_numbers", "", {}, Range="1-3")
    yield function("thing_letters", "", {"word": "two words ", "mask": "0110"})
    yield function("thing_letters", "", {"word": "one"})
    yield function("thing_letters", "word=two%20words%20&mask=0110")
    yield function("thing_void", "", {})
    yield function("thing_void", "select=*", {})
    yield function("thing_pair", "a=4&b=eq.w")
    yield function("thing_pair", "a=eq.4")
    yield function("thing_pair", "a=4&nonsense=eq.1")
    yield function("thing_pair", "a=4&nonsense=1")
    yield function("thing_pair", "a=4&c->k->>0=eq.1")
    yield function("nonsense", "a=4&b=eq.w")
    yield function("thing_told", "", {"headers": '[{"X-Told": "yes"}, {"Cache-Control": "no-store"}]'})
    yield function("thing_told", "", {"status": "418"})
    yield function("thing_told", "", {"headers": '[{"X-Told": "yes"}]', "status": "202"})
    yield function("thing_told", "", {"headers": "nonsense"})
    yield function("thing_told", "", {"headers": '{"a": "b"}'})
    yield function("thing_told", "", {"headers": '[{"a": "b", "c": "d"}]'})
    yield function("thing_told", "", {"status": "nonsense"})
    yield function("thing_told", "status=203")
    yield function("thing_write", "", {"word": "one"})
    yield function("thing_write", "select=b", {"word": "two"})
    yield function("thing_write", "select=b,c", {"word": "three"}, Accept="application/vnd.pgrst.object+json")
    yield function("thing_writes", "select=a&a=gt.1&order=a.desc", {"word": "four", "times": 3})
    yield function("thing_writes", "limit=1", {"word": "five", "times": 3}, Prefer="count=exact")


def _others() -> Iterator[Asked]:
    yield Asked("/nonsense")
    yield Asked("/nonsense?select=id", "HEAD")
    yield Asked("/packs?select=pack_id,amount&order=amount.desc&amount=gte.1000")
    yield Asked("/packs?tokens=gt.100&select=pack_id,tokens::text&order=tokens")
    yield Asked("/packs?or=(amount.lt.2000,pack_id.like.p*)&order=pack_id", headers={"Prefer": "count=exact"})
    yield Asked("/modules?select=module_id,price->components&order=module_id&limit=3")
    yield Asked("/modules?price->>price_id=not.is.null&order=module_id", headers={"Accept": "text/csv"})
    yield Asked("/balance?select=balance::text,available")
    yield Asked("/entries?tokens=lt.0&order=posted_at.desc", headers={"Prefer": "count=exact"})
    yield Asked("/rpc/quote_tokens?module_id=whisper&select=cost,module_id")
    yield Asked("/rpc/quote_tokens?select=cost", "POST", body={"module_id": "whisper"})
    yield Asked("/rpc/quote_tokens?module_id=whisper&sufficient=is.false&select=cost")
    yield Asked("/things", "POST", body={"id": 99})
    yield Asked("/things?id=eq.1", "PATCH", body={"name": "x"})
    yield Asked("/things?id=eq.1", "DELETE")


def generated(seed: int, number: int) -> Iterator[Asked]:
    """Requests of a grammar, by chance."""
    chance = random.Random(seed)
    for _ in range(number):
        parts = [f"select={','.join(chance.sample(_COLUMNS, chance.randint(1, 4)))}"]
        parts += [_condition(chance, "=") for _ in range(chance.randint(0, 2))]
        if chance.random() < 0.4:
            parts.append(f"{chance.choice(('or', 'and', 'not.or', 'not.and'))}={_tree(chance, 2)}")
        direction = chance.choice(("", ".asc", ".desc", ".desc.nullslast", ".nullsfirst"))
        parts.append(f"order={chance.choice(_ORDERED)}{direction},id")
        if chance.random() < 0.5:
            parts.append(f"limit={chance.randint(0, 6)}")
        if chance.random() < 0.3:
            parts.append(f"offset={chance.randint(0, 5)}")
        headers = chance.choice(_GENERATED_HEADERS)
        chance.shuffle(parts)
        yield things("&".join(parts), chance.choice(("GET", "GET", "GET", "HEAD")), **headers)


_COLUMNS = [
    *(
        "id",
        "name",
        "x:amount",
        "big::text",
        "active",
        "tags",
        "facts",
        "facts->>word",
        "d:facts->deep",
        "made",
    ),
    *('"odd name"', "span", "plain->1", "facts->deep->list->1"),
]
_ORDERED = ["id", "name", "amount", "active", "facts->>word", "facts->n", "made", '"odd name"']
_GENERATED_HEADERS: list[dict[str, str]] = [
    {},
    {},
    {"Prefer": "count=exact"},
    {"Accept": "text/csv"},
    {"Accept": "application/vnd.pgrst.array+json;nulls=stripped"},
    {"Accept": "application/vnd.pgrst.object+json"},
    {"Range": "0-2"},
    {"Range": "1-", "Prefer": "count=exact"},
]
_CONDITIONS = {
    "id": [
        "eq.{n}",
        "gt.{n}",
        "lte.{n}",
        "in.({n},{n},{n})",
        "eq(any).{{{n},{n}}}",
        "neq.{n}",
        "isdistinct.{n}",
    ],
    "name": [
        "like.*{l}*",
        "ilike.{l}*",
        "eq.alpha",
        "is.null",
        "match.{l}",
        "imatch.^{l}",
        'in.(alpha,"x_y")',
    ],
    "amount": ["gt.{n}.5", "lt.{n}", "is.null", "gte(all).{{{n},2}}"],
    "active": ["is.true", "is.false", "is.null", "eq.true"],
    "tags": ["cs.{{t{n}}}", "ov.{{t1,t2}}", "is.null"],
    "facts": ['cs.{{"n":{n}}}', "is.null"],
    "facts->>word": ["eq.{l}", "in.({l},b,c)", "like.{l}*", "is.null"],
    "facts->n": ["eq.{n}", "gt.{n}"],
    "span": ["cs.[{n},{n}]", "ov.[{n},12)", "is.null"],
    "body": ["fts.fox", "plfts(english).dog", "wfts.fox"],
    "made": ["gt.2026-01-0{n}", "lte.2026-01-0{n}"],
}


def _condition(chance: random.Random, after: str) -> str:
    column = chance.choice(list(_CONDITIONS))
    text = chance.choice(_CONDITIONS[column]).format(n=chance.randint(1, 9), l=chance.choice("abelx"))
    if after == "." and column == "span":  # in a tree, the comma of a range needs quotes
        operator, _, operand = text.partition(".")
        text = f'{operator}."{operand}"' if "," in operand else text
    negated = "not." if chance.random() < 0.25 else ""
    return f"{column}{after}{negated}{text}"


def _tree(chance: random.Random, depth: int) -> str:
    parts = []
    for _ in range(chance.randint(1, 3)):
        if depth and chance.random() < 0.35:
            parts.append(chance.choice(("and", "or", "not.and", "not.or")) + _tree(chance, depth - 1))
        else:
            parts.append(_condition(chance, "."))
    return f"({','.join(parts)})"
