"""HTML of the simulator's pages: the banner on each, no script, no image, nothing from elsewhere."""

from html import escape
from urllib.parse import quote

from litestar import Response

_STYLE = """
:root { color-scheme: light dark; --line: #d8dee6; --soft: #5b6673; --paper: #fff; --ground: #f4f6f9;
  --ink: #1c2530; --main: #0a5fd1; --good: #117a43; --bad: #b3261e; --warn: #fff3cd; --warn-ink: #6b4e00; }
@media (prefers-color-scheme: dark) {
  :root { --line: #38424e; --soft: #9aa7b5; --paper: #1d242c; --ground: #12171d;
  --ink: #e8edf2; --main: #5b9dff; --good: #5fd39a; --bad: #ff8a80; --warn: #4a3b08; --warn-ink: #ffe6a0; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
.banner { background: var(--warn); color: var(--warn-ink); padding: .6rem 1rem; text-align: center; }
main { max-width: 30rem; margin: 2rem auto; padding: 0 1rem; }
main.wide { max-width: 74rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem; padding: 1.2rem;
  margin-bottom: 1rem; overflow-x: auto; }
.item { display: flex; justify-content: space-between; gap: 1rem; overflow-wrap: anywhere; }
.item + .item { margin-top: .4rem; }
.total { border-top: 1px solid var(--line); margin-top: .8rem; padding-top: .8rem; font-weight: 600;
  font-size: 1.15rem; }
.soft { color: var(--soft); font-size: .9rem; } .good { color: var(--good); } .bad { color: var(--bad); }
.state { font-weight: 600; margin: 0 0 .3rem; }
form { margin: 0 0 .6rem; } form.row { margin: 0; }
button { width: 100%; padding: .7rem 1rem; border-radius: .45rem; border: 1px solid var(--line);
  cursor: pointer; background: var(--paper); color: var(--ink); font: inherit; text-align: left; }
button:hover, button:focus-visible { border-color: var(--main); outline: 2px solid var(--main); }
button.main { background: var(--main); border-color: var(--main); color: var(--paper); font-weight: 600; }
button small { display: block; font-weight: 400; opacity: .8; }
form.row button { width: auto; padding: .15rem .6rem; font-size: .9rem; white-space: nowrap; }
a { color: var(--main); } code { font-size: .85rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .6rem .35rem 0; border-top: 1px solid var(--line);
  vertical-align: top; }
th { border: 0; color: var(--soft); font-weight: 500; }
"""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page(title: str, body: str, *, status: int = 200, wide: bool = False) -> Response[str]:
    """A whole page. ``title`` is text, ``body`` is HTML in which everything from outside is escaped."""
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Stripe simulator</title>
<style>{_STYLE}</style>
</head>
<body>
<div class="banner"><strong>Development simulator.</strong> This is not Stripe: no real money moves.</div>
<main{' class="wide"' if wide else ""}>
{body}
</main>
</body>
</html>
"""
    return Response(html, status_code=status, media_type="text/html", headers=_HEADERS)


def button(
    url: str, action: str, label: str, note: str = "", *, main: bool = False, row: bool = False, **more: str
) -> str:
    """A form of one button that posts ``action`` and ``more``; a small one in a ``row`` of a table."""
    small = f"<small>{escape(note)}</small>" if note else ""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in more.items()
    )
    return (
        f'<form method="post" action="{escape(url)}"{" class=row" if row else ""}>{hidden}'
        f'<button name="action" value="{escape(action)}"'
        f"{' class=main' if main else ''}>{escape(label)}{small}</button></form>"
    )


def redirect(url: str) -> Response[str]:
    """See other: so that reloading does nothing."""
    location = quote(url, safe=":/?#[]@!$&'()*+,;=%~-._")
    return Response("", status_code=303, headers={"Location": location, "Cache-Control": "no-store"})
