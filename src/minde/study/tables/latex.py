"""A table of estimates as a LaTeX document."""

from string import Template

import pandas as pd

from ..rows import TRUTH_LABEL
from .rendering import CLASS_COLORS, ERROR_BOUNDS, cell_text, class_meanings, error_class, note, number

# Colours are defined inside the document, so that they are available when another document includes it by \input.
DOCUMENT = Template(r"""% Compiles on its own: pdflatex table1.tex
% In another document: load standalone, booktabs, graphicx and xcolor (option table), then \input this file.
\documentclass[border=6pt,varwidth=\maxdimen]{standalone}
\usepackage[table]{xcolor}
\usepackage{booktabs,graphicx}
\begin{document}
$colors
{\scriptsize
\setlength{\tabcolsep}{2.5pt}\renewcommand{\arraystretch}{1.15}\setlength{\fboxsep}{1.5pt}%
\begin{tabular}{$columns}
\toprule
$head
\midrule
$body
\bottomrule
\end{tabular}

\medskip
$note\\
Colour: estimate minus truth, in nats; none: at most $smallest in absolute value.\\[2pt]
$legend
}
\end{document}
""")


def to_latex(summary: pd.DataFrame, decimals: int) -> str:
    """Return a document that compiles on its own or can be included by \\input; one column per task."""
    tasks = summary.drop_duplicates("task")
    body = [_line(TRUTH_LABEL, (_signed(number(value, decimals)) for value in tasks["mi_true"])), r"\midrule"]
    for row, cells in summary.groupby("row", sort=False):
        body.append(_line(row, (_cell(cell, decimals) for cell in cells.itertuples())))
    return DOCUMENT.substitute(
        colors="\n".join(rf"\definecolor{{{name}}}{{HTML}}{{{color}}}%" for name, color in CLASS_COLORS.items()),
        columns="@{}l" + "r" * len(tasks),
        head=_line("", (rf"\rotatebox{{90}}{{{escape(label)}}}" for label in tasks["task_label"])),
        body="\n".join(body),
        note=escape(note(summary)),
        smallest=ERROR_BOUNDS[0],
        legend="\n".join(rf"\colorbox{{{name}}}{{\strut {escape(text)}}}" for name, text in class_meanings().items()),
    )


PLAIN = Template(r"""% Compiles on its own. Another document can include it like table1.tex if it also loads array.
\documentclass[border=6pt,varwidth=\maxdimen]{standalone}
\usepackage{array,booktabs}
\begin{document}
{\scriptsize
\begin{tabular}{@{}$columns@{}}
\toprule
$head
\midrule
$body
\bottomrule
\end{tabular}

\medskip
\parbox{14cm}{\raggedright $note}
}
\end{document}
""")


def plain(head: list[str], body: list[list[str]], note: str, texts: str = "l") -> str:
    """Return a document with a table; `texts` as in `rendering.markdown`."""
    return PLAIN.substitute(
        columns=texts.ljust(len(head), "r").replace("t", r">{\raggedright\arraybackslash}p{4.5cm}"),
        head=_line(head[0], map(escape, head[1:])),
        body="\n".join(_line(line[0], map(escape, line[1:])) for line in body),
        note=escape(note),
    )


def escape(text: str) -> str:
    """Return text escaped for LaTeX, with the symbols of our labels as LaTeX commands."""
    return text.translate(ESCAPES)


ESCAPES = str.maketrans(
    {
        **{character: "\\" + character for character in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "|": r"\textbar{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "×": r"$\times$",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
        "σ": r"$\sigma$",
        "±": r"$\pm$",
        "−": "$-$",
        "–": "--",
        "†": r"\textdagger{}",
    }
)


def _line(label: str, cells) -> str:
    return " & ".join([escape(label), *cells]) + r" \\"


def _signed(text: str) -> str:
    return escape(text.replace("-", "−"))


def _cell(cell, decimals: int) -> str:
    name = error_class(cell.error)
    return (rf"\cellcolor{{{name}}}" if name else "") + _signed(cell_text(cell, decimals))
