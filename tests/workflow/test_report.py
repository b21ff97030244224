"""The report holds the table and the figures, each with its caption."""

from running import copy, snakemake


def test_the_report_holds_table_and_figures_with_captions(study, tmp_path):
    folder = copy(study, tmp_path / "minde")
    snakemake(folder, "--configfile", "tiny.yaml", "--report", "report.html")
    report = (folder / "report.html").read_text()
    for name in ("table1.html", "spread.png", "spread.pdf", "training_size.png", "training_size.pdf"):
        assert name in report
    for words in ("Mean estimate of the mutual information", "How to read it", "Training size"):
        assert words in report
    for label in ("Spread over replicates", "MINDE-c, CCA", "1v1-normal-0.75, 1v1-bimodal-0.75"):
        assert label in report
    assert "System Message" not in report  # what docutils puts where a caption is not reStructuredText
