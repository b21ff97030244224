"""A table of estimates as a self-contained HTML page."""

from html import escape
from string import Template

import pandas as pd

from ..rows import TRUTH_LABEL
from .rendering import CLASS_COLORS, ERROR_BOUNDS, cell_text, class_meanings, error_class, interval_text, note, number

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Table 1: mutual information by method and task</title>
<style>
body { margin: 1.5rem; font: 13px/1.4 system-ui, sans-serif; color: #000; background: #fff; }
figure { margin: 0; overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
thead th { vertical-align: bottom; font-weight: normal; }
thead th span { display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
thead tr { border-top: 2px solid; border-bottom: 1px solid; }
tr.truth { border-bottom: 1px solid; }
tbody { border-bottom: 2px solid; }
tbody th { position: sticky; left: 0; background: #fff; text-align: left; font-weight: normal; white-space: nowrap; }
th, td { padding: .15rem .3rem; }
td { text-align: right; }
.legend { margin: .3rem 0 1rem; }
.legend span { display: inline-block; padding: .1rem .5rem; }
td, .legend span { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
@page { size: A3 landscape; margin: 1cm; }
$colors
</style>
</head>
<body>
<figure>
<figcaption><b>Table 1.</b> $note Hover over a cell for the standard deviation over
replicates and the 95 % interval.<br>
Colour: estimate minus truth, in nats; none: at most $smallest in absolute value.
<p class="legend">
$legend
</p></figcaption>
<table>
<thead>
$head
</thead>
<tbody>
$body
</tbody>
</table>
</figure>
</body>
</html>
""")


def to_html(summary: pd.DataFrame, decimals: int) -> str:
    """Return a page with the table, its caption and a legend of its colours.

    A tooltip gives a cell's spread and error.
    """
    tasks = summary.drop_duplicates("task")
    heads = (_head(task_id, label) for task_id, label in zip(tasks["task"], tasks["task_label"], strict=True))
    truth = (f"<td>{number(value, decimals)}</td>" for value in tasks["mi_true"])
    body = [_line(TRUTH_LABEL, truth, ' class="truth"')]
    for row, cells in summary.groupby("row", sort=False):
        body.append(_line(row, (_cell(cell, decimals) for cell in cells.itertuples())))
    return PAGE.substitute(
        colors="\n".join(f".{name} {{ background: #{color}; }}" for name, color in CLASS_COLORS.items()),
        note=escape(note(summary)),
        head="<tr><td></td>" + "".join(heads) + "</tr>",
        body="\n".join(body),
        smallest=ERROR_BOUNDS[0],
        legend="\n".join(f'<span class="{name}">{escape(text)}</span>' for name, text in class_meanings().items()),
    )


PLAIN = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
body { margin: 1.5rem; font: 13px/1.4 system-ui, sans-serif; color: #000; background: #fff; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; border-bottom: 2px solid; }
caption { text-align: left; max-width: 60rem; padding-bottom: .8rem; }
thead { border-top: 2px solid; border-bottom: 1px solid; }
th, td { padding: .15rem .6rem; font-weight: normal; text-align: right; white-space: nowrap; }
th:first-child, .l, .t { text-align: left; }
tbody td, tbody th { vertical-align: top; }
.t { white-space: normal; min-width: 14rem; max-width: 32rem; }
</style>
</head>
<body>
<table>
<caption>$note</caption>
<thead>
$head
</thead>
<tbody>
$body
</tbody>
</table>
</body>
</html>
""")


def plain(title: str, head: list[str], body: list[list[str]], note: str, texts: str = "l") -> str:
    """Return a page with a table; `texts` as in `rendering.markdown`."""
    kinds = texts.ljust(len(head), "r")
    heads = (f'<th scope="col" class="{kind}">{escape(name)}</th>' for name, kind in zip(head, kinds, strict=True))
    lines = (
        _line(first, (f'<td class="{kind}">{escape(text)}</td>' for text, kind in zip(rest, kinds[1:], strict=True)))
        for first, *rest in body
    )
    return PLAIN.substitute(
        title=escape(title), note=escape(note), head=f"<tr>{''.join(heads)}</tr>", body="\n".join(lines)
    )


def _head(task_id: str, label: str) -> str:
    return f'<th scope="col" title="{escape(task_id)}"><span>{escape(label)}</span></th>'


def _line(label: str, cells, attributes: str = "") -> str:
    return f'<tr{attributes}><th scope="row">{escape(label)}</th>{"".join(cells)}</tr>'


def _cell(cell, decimals: int) -> str:
    spread = (
        ""
        if pd.isna(cell.std)
        else f" ± {cell.std:.4f} (standard deviation over replicates), 95 % interval {interval_text(cell, 4)}"
    )
    error = "" if pd.isna(cell.error) else f"; error {cell.error:+.4f} nats"
    value = f"{cell.mean:.4f}{spread}{error}" if pd.notna(cell.mean) else "no estimate"
    lost = cell.replicates - cell.converged
    why = f"; {lost} of {cell.replicates} replicates did not converge: {cell.not_converged}" if lost else ""
    title = escape(f"{cell.row}, {cell.task_label}: {value}{why}")
    name = error_class(cell.error)
    color = f' class="{name}"' if name else ""
    return f'<td{color} title="{title}">{cell_text(cell, decimals)}</td>'
