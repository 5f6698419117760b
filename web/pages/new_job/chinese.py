"""What the form that asks for work says, in Chinese."""

from __future__ import annotations

from typing import Final

NEW_JOB: Final = {
    "New job": "新任务", "Train": "训练", "Evaluate": "评估", "Submit": "提交任务", "Class": "类", "Choose": "选择",
    "choose": "请选择", "Label column": "标签列", "What the rows are called": "数据的名称",
    "Pool of workers": "工作进程池",
    "Needs of a worker": "对工作进程的要求", "Memory in bytes": "内存（字节）", "Seconds an attempt": "每次尝试的秒数",
    "Retries": "重试次数", "More options": "更多选项", "commas between": "以逗号分隔",
    "name=value, one a line": "每行一个 name=value", "labels in {column}": "标签在 {column}",
    "No worker is at work, so the job will wait. Start one where the ledger is:":
        "没有工作进程，任务会等待。请在账本所在处启动一个：",
    "It waits: no worker is at work. Start one where the ledger is:":
        "正在等待：没有工作进程。请在账本所在处启动一个：",
    "No rows have a name yet. Name some first:": "还没有已命名的数据。请先命名：",
    "Nothing is asked for in the past.": "不能在过去提交任务。",
    "Compare version {number}": "比较版本 {number}", "those that are ticked": "已勾选的",
    "Judge it on": "评估所用数据", "Move {name} here": "将 {name} 移到此处", "Give it a name": "为其命名",
    "Train a version": "训练新版本",
    "there is no page at this address; begin at the models": "此地址没有页面；请从模型列表开始",
    "this is a fault of Lepton itself; the server's log tells more": "这是 Lepton 自身的故障；详情见服务器日志",
    # the model library
    "Model library": "模型库", "About this class": "关于此类", "Train one": "训练一个", "Tasks": "任务类型",
    "Reads": "输入", "Good at": "擅长", "Not for": "不适用", "Sources": "来源", "Licence": "许可",
    "Needs": "依赖", "Hyperparameter": "超参数", "Default": "默认值", "May be": "可取值", "Searched": "搜索范围",
    # what the requests of the API say of their fields
    "the model that it is about": "任务所属的模型", "the workers that may do it": "可执行任务的工作进程",
    "what a worker must have, such as cuda": "工作进程必须具备的条件，如 cuda",
    "bytes that an attempt may take": "一次尝试最多占用的字节数",
    "seconds that an attempt may take": "一次尝试最多用的秒数",
    "attempts that may be lost": "允许失败的尝试次数", "named data, NAME or NAME@2": "已命名的数据：NAME 或 NAME@2",
    "the column of labels, where the name does not know it": "标签列，仅在数据名称未记录时需要",
    "a file of the same columns, for those who may do everything": "列相同的文件，仅限有全部权限者",
    "the version to judge: a number or any other revision of the model": "要评估的版本：编号或模型的其他修订",
    "address of a safetensors file; for those alone who may do everything": "safetensors 文件的地址，仅限有全部权限者",
}  # fmt: skip
