"""What the pages that ask the ledger say, in Chinese."""

from __future__ import annotations

from typing import Final

ASKING: Final = {
    "Who did what, when, why, with which model; the newest first.": "谁在何时、为何、对哪个模型做了什么；最新的在前。",
    "Type": "类型",
    "all": "全部",
    "all of {noun}": "{noun} 的全部",
    "Who": "谁",
    "Show": "显示",
    "All events": "全部事件",
    "Only those of {stream}.": "只显示 {stream} 的事件。",
    "All streams": "全部流",
    "No event is so.": "没有这样的事件。",
    "None among those down to event {seq}.": "直到事件 {seq} 都没有。",
    "Older events": "更早的事件",
    "These are all; none is older.": "已全部列出，没有更早的了。",
    "To the newest": "回到最新",
    "Left out is what saves write beside: packs, lists of tensors, differences.": (
        "保存时附带写入的内容（包、张量清单、差异）未列出。"
    ),
    "Show it too": "一并显示",
    "Which events": "哪些事件",
    "Event {seq}": "事件 {seq}",
    "Recorded": "记录于",
    "Happened": "发生于",
    "Stream": "流",
    "its event {number}": "其第 {number} 个事件",
    "Command's key": "命令的键",
    "Caused by": "起因",
    "Leaf's hash": "叶哈希",
    "What it says": "内容",
    "Of the same command": "同一命令的事件",
    "As it is stored: the bytes that the leaf's hash is of": "存储的原样：叶哈希所依据的字节",
    "The stored bytes name models that you may not read, so they are not shown.": (
        "存储的字节提到了您无权读取的模型，因此不显示。"
    ),
    "run {id}": "运行 {id}",
    "job {id}": "任务 {id}",
    "token {id}": "令牌 {id}",
    "Versions for which this holds": "满足此条件的版本",
    "More versions": "更多版本",
    "These are all.": "已全部列出。",
    "{count} more figures are on the versions' own pages.": "另有 {count} 项指标，见各版本的页面。",
    "No version is so.": "没有这样的版本。",
    "Examples": "示例",
    "A name is a figure, a hyperparameter or a note of a version: metric.f1, param.lr, note.ticket. Of a version there "
    "are version.actor, message, description, branch and run. Comparisons are joined by and, or, not; words stand in "
    "single quotes.": (
        "名称是版本的指标、超参数或注记：metric.f1、param.lr、note.ticket。版本本身有 version.actor、message、"
        "description、branch 和 run。比较用 and、or、not 连接；文字放在单引号里。"
    ),
    "One SELECT over the views; nothing is changed by it": "对视图的一条 SELECT；不会改变任何东西",
    "Ask": "查询",
    "Answer": "结果",
    "The first {shown} of {count} rows are shown; a file has all of them.": (
        "共 {count} 行，此处显示前 {shown} 行；下载的文件包含全部。"
    ),
    "One row.": "一行。",
    "{count} rows, all of them shown.": "{count} 行，已全部显示。",
    "As of event {seq}.": "截至事件 {seq}。",
    "All rows as a file:": "全部行的文件：",
    "null": "空",
    "… {count} more characters, in a file": "……还有 {count} 个字符，见文件",
    "The views and their columns": "视图及其列",
    "How the ledger is now: what it was like then is known of its models alone.": (
        "这是账本现在的状态：过去的情形只对模型可知。"
    ),
    "Something is away: what hangs on it is not known.": "有部分无法连接：与之相关的情况未知。",
    "Tokens": "令牌",
    "The token of {owner}": "{owner} 的令牌",
    "This is its secret. It is shown this once and kept nowhere: copy it now.": (
        "这是它的密钥，只显示这一次，任何地方都不保存：请现在复制。"
    ),
    "It was made before, by the same form; its secret was shown then and cannot be shown again.": (
        "它已由同一表单创建；密钥当时已显示，不能再次显示。"
    ),
    "Whoever holds a token acts as its owner, and may do what its scopes say with the models that it names.": (
        "持有令牌者以其所有者的身份行事，可对所列模型做其范围允许的事。"
    ),
    "Owner": "所有者",
    "Scopes": "范围",
    "Expires": "到期",
    "Made": "创建",
    "Id": "编号",
    "Revoke": "吊销",
    "never": "永不",
    "Revoke the token of {owner}": "吊销 {owner} 的令牌",
    "There is no token yet.": "还没有令牌。",
    "Make a token": "创建令牌",
    "What it allows": "允许做什么",
    "Models, or patterns such as credit*; all, if left empty": "模型，或 credit* 这样的模式；留空则为全部",
    "Ends after a term such as 30d, or at a date; never, if left empty": (
        "在 30d 这样的期限后或某日到期；留空则永不到期"
    ),
    "Make the token": "创建",
    "good": "有效",
    "expired": "已到期",
    "revoked": "已吊销",
    "forgotten": "已遗忘",
    "began the model": "开始了该模型",
    "said what the model is for": "说明了模型的用途",
    "archived the model": "归档了模型",
    "opened the model for writing again": "重新开放了模型",
    "saved version {version} on {branch}": "在 {branch} 上保存了版本 {version}",
    "described version {version}": "描述了版本 {version}",
    "put notes on version {version}: {annotations}": "给版本 {version} 加了注记：{annotations}",
    "cleared version {version} to be suggested again": "允许再次建议版本 {version}",
    "offered a version that was trained elsewhere": "提交了在别处训练的版本",
    "recorded figures of version {version}: {metrics}": "记录了版本 {version} 的指标：{metrics}",
    "defined the metric {name}: {better} is better": "定义了指标 {name}：{better} 为优",
    "evaluated version {version}: {metrics}": "评估了版本 {version}：{metrics}",
    "kept the exact difference of versions {from_version} and {to_version}": (
        "保存了版本 {from_version} 与 {to_version} 的精确差异"
    ),
    "opened the branch {branch} at version {version}": "在版本 {version} 处开了分支 {branch}",
    "rolled the branch {branch} back from version {from_version} to version {to_version}": (
        "把分支 {branch} 从版本 {from_version} 回退到版本 {to_version}"
    ),
    "gave up the branch {branch}, at version {version}": "放弃了位于版本 {version} 的分支 {branch}",
    "tagged version {version} as {tag}": "给版本 {version} 打了标签 {tag}",
    "gave up the tag {tag}, of version {version}": "放弃了版本 {version} 的标签 {tag}",
    "put {alias} on version {to_version}": "把 {alias} 指向版本 {to_version}",
    "moved {alias} from version {from_version} to version {to_version}": (
        "把 {alias} 从版本 {from_version} 移到版本 {to_version}"
    ),
    "rolled {alias} back from version {from_version} to version {to_version}": (
        "把 {alias} 从版本 {from_version} 回退到版本 {to_version}"
    ),
    "gave up {alias}, on version {from_version}": "放弃了位于版本 {from_version} 的 {alias}",
    "protected {alias}: it moves only by a gate": "保护了 {alias}：只有通过关卡才能移动",
    "let {alias} move freely again": "允许 {alias} 再次自由移动",
    "held version {version} against a gate, which it passed": "对版本 {version} 做了关卡，已通过",
    "held version {version} against a gate, which it did not pass": "对版本 {version} 做了关卡，未通过",
    "rehearsed a rollback from version {from_version} to version {to_version}": (
        "演练了从版本 {from_version} 到版本 {to_version} 的回退"
    ),
    "started a run": "开始了一次运行",
    "kept a checkpoint of the run": "保存了运行的检查点",
    "ended the run": "结束了运行",
    "the run failed: {error}": "运行失败：{error}",
    "found that the run is not heard of any more": "发现运行已失去音讯",
    "went on with the run": "继续了运行",
    "logged {points} points of the run: {names}": "记录了运行的 {points} 个点：{names}",
    "kept the file {name} of the run": "保存了运行的文件 {name}",
    "asked for a job: {kind}": "提交了任务：{kind}",
    "gave the job to a worker, attempt {epoch}": "把任务交给了工作进程，第 {epoch} 次尝试",
    "began attempt {epoch} of the job": "开始了任务的第 {epoch} 次尝试",
    "could not take in something that attempt {epoch} of the job said": "任务第 {epoch} 次尝试所报的内容未能收入",
    "kept a checkpoint of the job at step {step}": "保存了任务在第 {step} 步的检查点",
    "let the job begin, since all that it waited for has finished": "所等待的任务均已完成，任务可以开始",
    "put the job back in the queue behind attempt {epoch}: {error}": "第 {epoch} 次尝试后任务重新排队：{error}",
    "finished the job": "完成了任务",
    "finished the job with version {version}": "完成了任务，得到版本 {version}",
    "the job failed: {error}": "任务失败：{error}",
    "called the job off": "取消了任务",
    "made a token that allows {scopes} on {models}": "创建了令牌，允许对 {models} 做 {scopes}",
    "revoked the token": "吊销了令牌",
    "created the ledger": "创建了账本",
    "upgraded the ledger to format {format}": "把账本升级到格式 {format}",
    "defined the suite {suite}": "定义了套件 {suite}",
    "created the study {study}": "创建了搜索 {study}",
    "noted attributes of the study": "记录了搜索的属性",
    "deleted the study": "删除了搜索",
    "stopped the search behind the trials at work": "停止了搜索（进行中的试验完成后）",
    "went on with the search": "继续了搜索",
    "began trial {trial}": "开始了试验 {trial}",
    "suggested parameters to trial {trial}": "为试验 {trial} 提议了参数",
    "started trial {trial}": "启动了试验 {trial}",
    "put trial {trial} back in the queue": "将试验 {trial} 放回队列",
    "told values of trial {trial} on its way: {values}": "报告了试验 {trial} 的中间值：{values}",
    "noted attributes of trial {trial}": "记录了试验 {trial} 的属性",
    "ended trial {trial}, {status}: {values}": "结束了试验 {trial}，{status}：{values}",
    "retired the suite": "停用了套件",
    "said which steps the chain {chain} has": "定义了任务链 {chain} 的步骤",
    "came on with step {step} of the chain": "任务链的步骤 {step} 有了进展",
    "named rows, as version {version} of the name": "给数据行命名，为该名称的版本 {version}",
    "recorded the fingerprint of rows": "记录了数据行的指纹",
    "told what was seen of version {version} at work: {metrics}": "报告了版本 {version} 运行中的情况：{metrics}",
    "wrote a pack of {entries} objects": "写了含 {entries} 个对象的包",
    "wrote a pack's content again into others": "把包的内容重新写入其他包",
    "told {tensors} tensors of a version by name": "列出了版本的 {tensors} 个张量",
    "marked packs that nothing refers to for deletion": "标记了无人引用、将被删除的包",
    "recorded an event of type {type}": "记录了类型为 {type} 的事件",
    "{some} and {more} more": "{some} 等另外 {more} 项",
}
