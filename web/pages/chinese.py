"""What the pages say, in Chinese, by the English that stands in templates and code."""

from __future__ import annotations

from typing import Final

PAGES: Final = {
    "Models": "模型",
    # work
    "Work": "工作", "Jobs": "任务", "Runs": "运行", "Job": "任务", "Run": "运行", "State": "状态", "all": "全部",
    "Filter": "筛选", "Kind": "类型", "Model": "模型", "Version": "版本", "Message, or why": "说明或原因",
    "Asked for": "提交", "There is no such job.": "没有这样的任务。", "Ask for one:": "提交一个：",
    "There is no such run.": "没有这样的运行。", "Begin one:": "开始一个：",
    "Older jobs": "更早的任务", "Older runs": "更早的运行",
    "Job {name}": "任务 {name}", "Run {name}": "运行 {name}", "train": "训练", "evaluate": "评估", "verify": "核验",
    "How it stands": "现状", "attempt {epoch}": "第 {epoch} 次尝试", "kept at step {step}": "已保存到第 {step} 步",
    "Why": "原因", "Begun": "开始", "Ended": "结束", "Gone on with": "继续于", "Heard of last": "最近消息",
    "Why, for the record": "原因（将被记录）", "Cancel this job": "取消此任务", "Log": "日志", "Metrics": "指标",
    "All {count} metrics of its run": "该运行的全部 {count} 个指标",
    "What was asked": "任务内容", "What was suspicious about the rows": "数据中的可疑之处",
    "Made": "产生", "version {number}": "版本 {number}", "no version": "没有版本",
    "It logged nothing yet.": "尚未记录任何指标。", "Hyperparameters": "超参数", "none": "无",
    "Checkpoints": "检查点", "Step": "步", "Kept": "保存", "Tensors": "张量",
    "It kept nothing on its way.": "途中没有保存检查点。", "Where it came from": "来源",
    "Fingerprint of its data": "数据指纹", "Table": "表格", "Points": "点数",
    "{drawn} of {points} points": "{points} 个点中的 {drawn} 个",
    "{count} are no finite numbers": "{count} 个不是有限数",
    "None of its {count} points is a finite number.": "{count} 个点都不是有限数。",
    "step {x}": "第 {x} 步", "point {x}": "第 {x} 点", "Least": "最小", "Greatest": "最大",
    "Least at step": "最小值所在步", "Greatest at step": "最大值所在步",
    "Least at point": "最小值所在点", "Greatest at point": "最大值所在点", "event {seq}": "事件 {seq}", "lost": "失联",
    "asked for": "已提交", "attempt {epoch} given to a worker": "第 {epoch} 次尝试已交给工作进程",
    "attempt {epoch} began": "第 {epoch} 次尝试开始",
    "what attempt {epoch} {said} was not taken in": "第 {epoch} 次尝试所报告的内容（{said}）未被接受",
    "attempt {epoch} came to step {step}, which is kept": "第 {epoch} 次尝试到达第 {step} 步，已保存",
    "attempt {epoch} ended without an answer ({error}); the job waits for another":
        "第 {epoch} 次尝试没有结果（{error}）；任务等待下一次",
    "failed: {error}": "失败：{error}", "called off": "已取消", "run {run} began": "运行 {run} 开始",
    "the run kept what it had come to": "运行保存了检查点", "the run ended: {status}": "运行结束：{status}",
    "the run was not heard of any more": "运行失联", "the run goes on": "运行继续",
    "This page does not update by itself here; reload it to see what is new.":
        "此页在此处不会自动更新；请刷新查看新内容。",
}  # fmt: skip
