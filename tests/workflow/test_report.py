"""The report holds the table and the figures, each with its caption."""

from running import copy, snakemake


def test_the_report_holds_table_and_figures_with_captions(study, tmp_path):
    folder = copy(study, tmp_path / "minde")
    snakemake(folder, "--configfile", "tiny.yaml", "--report", "report.html")
    report = (folder / "report.html").read_text()
    for name in (
        "table1.html",
        "summary.html",
        "spread_1.png",
        "spread_1.pdf",
        "training_curve_1.pdf",
    ):
        assert name in report
    for words in ("Mean estimate of the mutual information", "How to read it", "Training curves"):
        assert words in report
    for label in ("Spread over replicates", "MINDE-c, CCA", "Bivariate Nm 1"):
        assert label in report
    assert "System Message" not in report  # what docutils puts where a caption is not reStructuredText
