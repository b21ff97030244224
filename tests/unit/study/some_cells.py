"""A cell of the default study."""

from minde.study.design import Cell


def cell(method="minde-c", task="1v1-normal-0.75", train_size=2000):
    return Cell(method=method, task=task, train_size=train_size)
