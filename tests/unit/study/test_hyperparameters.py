"""The table of hyper-parameters has the settings of the paper's appendix, by the tasks that they are for."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from snakemake.utils import update_config

from minde.steps import hyperparameters as step
from minde.study import config as configs
from minde.study import hyperparameters
from minde.study.tables.hyperparameters import texts, write_hyperparameters
from minde.study.tasks import TASKS

ROOT = Path(__file__).parents[3]


def lines(name: str, **changes) -> list[dict]:
    """The lines of an included study."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()) | changes)
    return step.lines(json.loads(hyperparameters.table_settings(configs.resolve(config, ROOT))))


def test_the_papers_settings_stand_by_size_of_the_tasks():
    body = texts(lines("paper"))
    assert [line[:6] for line in body] == [
        ["MINDE-j, MINDE-c", "1×1 to 5×5", "64", "300 epochs", "128", "0.001, constant"],
        ["MINDE-j, MINDE-c", "25×25", "128", "500 epochs", "256", "0.002, constant"],
        ["MINDE-j, MINDE-c", "50×50", "256", "500 epochs", "256", "0.002, constant"],
        ["MINE", "1×1 to 5×5", "32, 32, 8", "up to 200,000 steps", "256", "0.001"],
        ["MINE", "25×25 to 50×50", "128, 128, 8", "up to 200,000 steps", "256", "0.001"],
        ["InfoNCE, D-V, NWJ", "1×1 to 5×5", "32, 32, 8", "up to 200,000 steps", "256", "0.001"],
        ["InfoNCE, D-V, NWJ", "25×25 to 50×50", "128, 128, 8", "up to 200,000 steps", "256", "0.001"],
        ["KSG", "all 40", "", "", "", ""],
        ["LNN", "all 40", "", "", "", ""],
        ["KDE, CCA", "all 40", "", "", "", ""],
        ["DoE (Gaussian), DoE (Logistic)", "1×1 to 5×5", "64, 64", "3,000 steps", "128", "0.01"],
        ["DoE (Gaussian), DoE (Logistic)", "25×25 to 50×50", "128, 128", "3,000 steps", "128", "0.01"],
    ]
    others = [line[6] for line in body]
    assert "base none, ema decay 0.999, importance sampling yes, middle blocks 2" in others[0]
    assert others[0].endswith("sde: beta max 20, beta min 0.1, t eps 0.001")
    assert others[1:4] == ["as above", "as above", "mean decay 0.9, test every 250"]
    assert others[7:10] == ["neighbors 10", "neighbors 5, truncation 30", "none"]


def test_groups_that_are_no_range_of_sizes_list_their_tasks_and_the_largest_is_what_they_leave():
    body = texts(lines("accuracy"))
    assert [line[1:4] for line in body] == [
        ["Bivariate Nm 1×1; Mn 2×2, 3×3, 5×5 (dense); Mn 2×2, 3×3, 5×5 (2-pair)", "64", "1,500 steps"],
        [
            "Mn 25×25 (dense); Mn 25×25 (2-pair); Nm CDF @ Mn 25×25 (2-pair); Hc @ Mn 25×25 (2-pair)",
            "128",
            "6,000 steps",
        ],
        ["50×50", "256", "6,000 steps"],
        ["St 1×1, 2×2 (dof=1); St 2×2, 3×3, 5×5 (dof=2); St 3×3, 5×5 (dof=3)", "64", "6,000 steps"],
        ["Sp @ Mn 3×3, 5×5 (2-pair); Sp @ Nm CDF @ Mn 3×3, 5×5 (2-pair)", "64", "30,000 steps"],
        ["Sp @ Mn 25×25 (2-pair); Sp @ Nm CDF @ Mn 25×25 (2-pair)", "128", "20,000 steps"],
        ["the other 15", "64", "6,000 steps"],
    ]


def test_variants_with_other_settings_have_lines_of_their_own():
    override = {"match": {"methods": ["minde-j"]}, "set": {"network": {"hidden": 512}}}
    body = texts(lines("accuracy", tasks=["1v1-normal-0.75"], overrides=[override]))
    assert [line[:3] for line in body] == [
        ["MINDE-j", "Bivariate Nm 1×1", "512"],
        ["MINDE-c", "Bivariate Nm 1×1", "64"],
    ]


def test_competitors_that_read_ranks_say_so():
    """An override of train sizes matches no method that does not train."""
    override = {"match": {"train_size": {"min": 500}, "methods": ["ksg"]}, "set": {"preprocess": "gaussianize"}}
    found = lines("accuracy", tasks=["student-identity-1-1-1"], methods=["ksg"], overrides=[override])
    assert [line[6] for line in texts(found)] == ["neighbors 10"]
    override["match"].pop("train_size")
    found = lines("accuracy", tasks=["student-identity-1-1-1"], methods=["ksg"], overrides=[override])
    assert [line[6] for line in texts(found)] == ["neighbors 10, preprocess gaussianize"]


def test_settings_that_depend_on_the_train_size_name_it(tmp_path):
    override = {"match": {"train_size": {"max": 5000}}, "set": {"training": {"batch_size": 64}}}
    found = lines("accuracy", tasks=["1v1-normal-0.75"], train_sizes=[500, 5000, 100000], overrides=[override])
    assert [[line[1], line[4]] for line in texts(found)] == [
        ["Bivariate Nm 1×1, 500 and 5,000 samples", "64"],
        ["Bivariate Nm 1×1, 100,000 samples", "256"],
    ]
    write_hyperparameters(found, [tmp_path / "table.csv"])
    assert set(pd.read_csv(tmp_path / "table.csv")["train_sizes"]) == {"500, 5000", "100000"}


def test_the_csv_has_a_line_per_method_and_task(tmp_path):
    paths = [tmp_path / f"table.{kind}" for kind in ("csv", "md", "tex", "html")]
    write_hyperparameters(lines("paper"), paths)
    frame = pd.read_csv(paths[0]).set_index(["method", "task"])
    assert len(frame) == 12 * 40
    large = frame.loc[("minde-c", "multinormal-dense-50-50-0.5")]
    assert (large["hidden"], large["duration.epochs"], large["learning_rate"]) == ("256", 500, 0.002)
    assert frame.loc[("ksg", "1v1-normal-0.75"), "neighbors"] == 10
    assert "25$\\times$25 to 50$\\times$50" in paths[2].read_text()
    assert "<title>Hyper-parameters</title>" in paths[3].read_text()


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"written as '.docx'; expected .csv, .md, .tex or .html"):
        write_hyperparameters(lines("accuracy"), [tmp_path / "table.docx"])


def test_widths_by_size_are_those_of_every_task():
    widths = {line["task"]: line["hidden"] for line in lines("paper") if line["method"] == "minde-c"}
    for task, width in widths.items():
        dim = TASKS[task].dim_x + TASKS[task].dim_y
        assert width == [64 if dim <= 10 else 128 if dim <= 50 else 256]
