"""What the pages of searches say, in Chinese."""

from __future__ import annotations

from typing import Final

STUDIES: Final = {
    "Searches": "超参搜索", "Search {name}": "超参搜索 {name}", "No search was run.": "还没有运行过搜索。",
    "Hyperparameters are searched by:": "超参数搜索的命令：", "Study": "超参搜索", "Best": "最佳", "Trials": "试验",
    "minimize": "越小越好", "maximize": "越大越好", "{count} {status}": "{count} 次{status}",
    "Class": "类", "Sampler": "采样器", "Pruner": "剪枝器", "Seed": "随机种子", "Stopped": "停止于",
    "No new trial begins. The same search goes on where it is asked for again.":
        "不再开始新的试验。再次请求同一搜索即从此处继续。",
    "Stop this search": "停止此搜索", "Trials at work end, and the best is kept.": "进行中的试验会完成，并保留最佳者。",
    "Best trial": "最佳试验", "Trials that no other beats": "不被其他试验超过的试验",
    "No trial has come to a figure.": "还没有试验得出指标。", "Trial": "试验", "A trial": "一次试验",
    "Best so far": "迄今最佳", "How the search went": "搜索过程", "{metric} by trial": "各次试验的 {metric}",
    "Pareto front": "帕累托前沿", "Not beaten": "未被超过", "Beaten": "被超过",
    "Hyperparameters of the best {count} trials": "最佳 {count} 次试验的超参数",
    "Hyperparameter": "超参数", "Importance": "重要性", "Importance of hyperparameters": "超参数的重要性",
    "Importances are shares by PED-ANOVA: how far a hyperparameter tells the best trials from the others.":
        "重要性为按 PED-ANOVA 计算的份额：超参数在多大程度上区分最佳试验与其他试验。",
    "Importances need Optuna where the server is, which lacks the extra search.":
        "计算重要性需要服务器安装 Optuna（附加组件 search）。",
    "Importances are told from {count} complete trials on.": "完成 {count} 次试验后才给出重要性。",
    "Nothing tells the best of these trials from the others, so there are no importances.":
        "没有什么能区分最佳试验与其他试验，因此没有重要性。",
    "Duration": "用时", "an earlier version": "较早的版本", "Order": "顺序", "Sort": "排序", "newest": "最新",
    "best": "最佳", "longest": "用时最长", "More trials": "更多试验", "No trial was begun.": "还没有开始试验。",
    "Searches of this model": "此模型的搜索", "Searches of {model}": "{model} 的搜索", "Show all": "显示全部",
    "Events of this search": "此搜索的事件",
}  # fmt: skip
