"""A table of estimates as a LaTeX document."""

from string import Template

import pandas as pd

from .rendering import CLASS_COLORS, ERROR_BOUNDS, class_meanings, error_class, note, number
from .rows import TRUTH_LABEL

# Colours are defined inside the document, so that they come along when another one takes it in with \input.
DOCUMENT = Template(r"""% Compiles alone: pdflatex table1.tex
% Inside another document: load standalone, booktabs, graphicx and xcolor (option table) there, then \input this file.
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
Colour: estimate minus truth, in nats; none: at most $smallest either way.\\[2pt]
$legend
}
\end{document}
""")


def to_latex(summary: pd.DataFrame, decimals: int) -> str:
    """A document that compiles alone and that another one can take in with \\input; one column per task."""
    tasks = summary.drop_duplicates("task")
    body = [_line(TRUTH_LABEL, (_number(value, decimals) for value in tasks["mi_true"])), r"\midrule"]
    for row, cells in summary.groupby("row", sort=False):
        body.append(_line(row, (_cell(cell.mean, cell.error, decimals) for cell in cells.itertuples())))
    return DOCUMENT.substitute(
        colors="\n".join(rf"\definecolor{{{name}}}{{HTML}}{{{color}}}%" for name, color in CLASS_COLORS.items()),
        columns="@{}l" + "r" * len(tasks),
        head=_line("", (rf"\rotatebox{{90}}{{{escape(label)}}}" for label in tasks["task_label"])),
        body="\n".join(body),
        note=escape(note(summary)),
        smallest=ERROR_BOUNDS[0],
        legend="\n".join(rf"\colorbox{{{name}}}{{\strut {escape(text)}}}" for name, text in class_meanings().items()),
    )


def escape(text: str) -> str:
    """Text in which LaTeX finds nothing to interpret, with the few symbols of our labels as LaTeX commands."""
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
        "σ": r"$\sigma$",
        "−": "$-$",
    }
)


def _line(label: str, cells) -> str:
    return " & ".join([escape(label), *cells]) + r" \\"


def _number(value: float, decimals: int) -> str:
    return escape(number(value, decimals).replace("-", "−"))


def _cell(mean: float, error: float, decimals: int) -> str:
    name = error_class(error)
    return (rf"\cellcolor{{{name}}}" if name else "") + _number(mean, decimals)
