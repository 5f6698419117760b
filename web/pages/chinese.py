"""What the pages say, in Chinese, by the English that stands in templates and code."""

from __future__ import annotations

from typing import Final

from .asking.chinese import ASKING
from .charts.chinese import CHARTS
from .new_job.chinese import NEW_JOB
from .proof.chinese import EVIDENCE
from .runs.chinese import RUNS
from .studies.chinese import STUDIES

PAGES: Final = {
    **ASKING,
    **CHARTS,
    **EVIDENCE,
    **NEW_JOB,
    **RUNS,
    **STUDIES,
    # the frame
    "Skip to the content": "跳到正文", "Pages": "页面", "Models": "模型", "Events": "事件", "Search": "搜索",
    "Jobs": "任务", "Status": "状态", "As of": "截至", "now": "现在", "Look": "查看",
    "An event's number, a day or a time in UTC": "事件编号、日期或 UTC 时间",
    "The ledger as it was behind event {seq}.": "这是事件 {seq} 之后账本的样子。", "Back to now": "回到现在",
    "You are {name}": "当前用户：{name}", "Log in": "登录", "Log out": "退出", "Token": "令牌",
    "Log in with {issuer}": "通过 {issuer} 登录", "By a token": "使用令牌", "You are logged in.": "已登录。",
    "You are logged out.": "已退出。", "Continue": "继续",
    "This page as JSON": "本页的 JSON", "This cannot be shown": "无法显示", "To the models": "前往模型列表",
    "This ledger is for those who hold a token. Whoever keeps it makes one:":
        "此账本仅供持有令牌者使用。由管理者创建：",
    "As of event": "截至事件",
    "Arrows move by one event, Page Up and Page Down by many; Enter looks.":
        "方向键移动一个事件，Page Up 与 Page Down 移动多个；按 Enter 查看。",
    "This page changed.": "本页有更新。", "{count} changes on this page.": "本页有 {count} 处更新。",
    "Where this page is": "本页位置", "About this model": "关于此模型", "just now": "刚刚",
    # models
    "Name has": "名称包含", "Find": "查找", "{count} more": "还有 {count} 个",
    "There is no model yet. Save one:": "还没有模型。保存一个：", "Model": "模型", "Versions": "版本数",
    "What is live": "当前上线", "Heads": "分支头", "What happened last": "最近动态", "More models": "更多模型",
    "Show {count} archived": "显示 {count} 个已归档的", "nothing": "无", "archived": "已归档",
    "Overview": "概览", "History": "历史", "Names": "名称", "Compare": "比较", "Roll back": "回退",
    "moves only by a gate: {requirements}": "仅可通过门禁移动：{requirements}",
    "moves only by a gate": "仅可通过门禁移动",
    "No alias stands on a version.": "没有别名指向任何版本。", "Newest versions": "最新版本", "Version": "版本",
    "Message": "说明", "Saved": "保存于", "event {seq}": "事件 {seq}", "saved": "已保存", "merged": "已合并",
    # what happened
    "branch {ref}": "分支 {ref}",
    "{name} given up, from version {number}": "{name} 已放弃（原在版本 {number}）",
    "{name} put on version {number}": "{name} 指向版本 {number}",
    "{name} moved from version {before} to version {number}": "{name} 从版本 {before} 移到版本 {number}",
    "{name} rolled back from version {before} to version {number}": "{name} 从版本 {before} 回退到版本 {number}",
    # the log
    "History of {model}": "{model} 的历史", "Branch or revision": "分支或修订", "all": "全部", "Show": "显示",
    "What happened": "发生了什么", "Comes from": "来自",
    "Who and when": "何人何时", "version {number}": "版本 {number}",
    "Newest": "最新", "Older": "更早", "Keys": "按键", "Keys of the history": "历史的按键", "Close": "关闭",
    "They act while a row of the history has the focus.": "焦点在历史的某一行时有效。",
    "to the next row": "到下一行", "to the row before": "到上一行", "to the version that it came from": "到其父版本",
    "to a version that came from it": "到由它产生的版本", "open it": "打开", "show these keys": "显示这些按键",
    # names
    "Names of {model}": "{model} 的名称", "Aliases": "别名", "Branches": "分支", "Tags": "标签", "Name": "名称",
    "Digest": "摘要", "Last move": "最近一次移动", "A new name": "新名称", "Kind": "种类",
    "alias": "别名", "tag": "标签", "gate": "门禁",
    "branch": "分支", "Reason": "理由", "Put it there": "设置", "{name} of {model}": "{model} 的 {name}",
    "Done:": "完成：",
    "It stands on version": "当前指向版本", "It stands nowhere.": "当前不指向任何版本。",
    "It moves only by a gate: {requirements}": "仅可通过门禁移动：{requirements}",
    "Who moved it, when and why": "何人、何时、为何移动", "When": "何时", "Who": "何人", "From": "从", "To": "到",
    "Why": "理由", "Event": "事件", "Take back": "撤销", "nowhere": "无", "no reason given": "未给出理由",
    "rolled back": "已回退", "Put back on {number}": "放回版本 {number}",
    "Put it elsewhere": "移到别处", "Move": "移动", "Without its gate, for the reason": "不经门禁，凭上述理由",
    # rolling back
    "Roll back {model}": "回退 {model}", "1. Choose": "1. 选择", "2. What would change": "2. 将会改变什么",
    "3. Confirm": "3. 确认", "Branch": "分支", "Alias": "别名", "Back to version": "回到版本",
    "Rehearse on": "预演数据", "no rows": "不预演",
    "Show what would change": "显示将会改变什么", "Roll back an alias instead": "改为回退别名",
    "Roll back a branch instead": "改为回退分支", "What the ledger would go back to": "账本建议回到哪里",
    "All differences": "全部差异", "It stands there already.": "已在该版本。",
    "Roll {name} back to version {number}": "将 {name} 回退到版本 {number}",
    "Every byte is restored and verified first. If the name was moved since this page was made, nothing happens.":
        "先恢复并校验每个字节。若本页生成后该名称已被移动，则什么也不会发生。",
    # a version
    "Version {number} of {model}": "{model} 的版本 {number}", "About this version": "关于此版本",
    "Protected": "受保护", "What it recorded": "记录内容", "Changes from {version}": "与版本 {version} 的差别",
    "History up to it": "此前的历史", "by {actor} on {branch}": "{actor}，分支 {branch}", "Parents": "父版本",
    "Run": "运行", "Suites": "测试套件", "Size": "大小", "Stored": "存储",
    "{tensors} tensors, {parameters} parameters, {size}": "{tensors} 个张量，{parameters} 个参数，{size}",
    "as a delta from version {version}: {elements} elements of {tensors} tensors, {size}":
        "与版本 {version} 的差值：{tensors} 个张量中的 {elements} 个元素，{size}",
    "Metrics": "指标", "Metric": "指标", "Value": "值", "Measured on": "所用数据",
    "No figure is known of it.": "没有已知指标。", "Evaluations": "评估", "its own validation rows": "自己的验证数据",
    "{rows} rows": "{rows} 行", "the rows it learnt from": "训练所用的数据", "Report": "报告", "Description": "描述",
    "Nobody described it.": "还没有描述。", "Describe it": "添加描述", "What it is": "它是什么",
    "Describe": "保存描述", "Annotations": "备注", "Take off": "移除", "Take off {name}": "移除 {name}",
    "There are no annotations.": "没有备注。", "Annotate": "添加备注",
    "Everybody who may read the model can read a note, for ever: name no person in it.":
        "能读取此模型的人都可以永久读到备注：请勿写入人名。",
    "Files": "文件", "The tensors, as a safetensors file": "全部张量（safetensors 文件）", "The model card": "模型卡",
    "Data": "数据", "Where it comes from": "来历", "Settings": "设置", "Architecture": "结构", "Environment": "环境",
    # tensors
    "Tensors of version {number} of {model}": "{model} 的版本 {number} 的张量", "Beside version": "对照版本",
    "Order": "顺序", "as stored": "按存储顺序", "most changed first": "变化最大的在前", "Beside": "对照版本",
    "Type": "类型", "Shape": "形状",
    "A bar is as long as a tensor changed beside its own size; the longest is the tensor that changed the most.":
        "条的长度表示张量相对自身大小的变化；变化最大的张量最长。",
    "Parameters": "参数", "Change": "变化", "Elements changed": "改变的元素", "Relative": "相对",
    "Largest step": "最大变化", "Cosine": "余弦", "Norm": "范数", "changed": "改变",
    "There is nothing on this page.": "本页没有内容。", "Previous page": "上一页", "Next page": "下一页",
    "page {place} of {last}": "第 {place} 页，共 {last} 页",
    # what differs
    "Differences": "差别", "What differs between {before} and {after}": "{before} 与 {after} 的差别",
    "before:": "之前：", "after:": "之后：", "Swap sides": "交换两边", "Compare side by side": "并排比较",
    "All tensors": "全部张量", "Only what differs": "只看差别", "Show everything": "全部显示",
    "Nothing differs.": "没有差别。", "Before": "之前", "After": "之后", "Step": "变化量",
    "and {count} more": "及另外 {count} 项", "The same": "相同",
    "and {count} more that changed less": "另有 {count} 个变化更小",
    # side by side
    "Versions of {model} side by side": "{model} 的版本并排比较", "best": "最好",
    "Add versions, by number or name": "添加版本（编号或名称）",
    "Only these rows, commas between": "只看这些行（逗号分隔）", "what is the same too": "也显示相同的",
    "Name the versions to compare.": "请给出要比较的版本。",
    "One version stands alone; add another to compare it with.": "只有一个版本；请再添加一个来比较。",
    "None of these versions has {names}.": "这些版本都没有 {names}。",
    "Best first by {metric}.": "按 {metric}，最好的在前。", "Take version {number} out": "移出版本 {number}",
    "The same for all:": "全部相同：", "What differs between them, tensors too": "两者的全部差别，包括张量",
    "Skip to the history": "跳到历史", "Working…": "处理中…",
    "Version {number} was rolled back from on {day}:": "版本 {number} 曾于 {day} 被回退离开：",
    "Every version on which {name} stood before was rolled back from. Name one all the same, or put it on another:":
        "{name} 此前所在的每个版本都曾被回退离开。可以仍然指定其中一个，或放到别处：",
    "{count} more metrics": "另外 {count} 个指标",
    # work
    "Work": "工作", "Runs": "运行", "Job": "任务", "State": "状态",
    "Filter": "筛选", "Message, or why": "说明或原因",
    "Asked for": "提交", "There is no such job.": "没有这样的任务。", "Ask for one:": "提交一个：",
    "There is no such run.": "没有这样的运行。", "Begin one:": "开始一个：",
    "Older jobs": "更早的任务", "Older runs": "更早的运行",
    "Job {name}": "任务 {name}", "Run {name}": "运行 {name}", "train": "训练", "evaluate": "评估", "verify": "核验",
    "How it stands": "现状", "attempt {epoch}": "第 {epoch} 次尝试", "kept at step {step}": "已保存到第 {step} 步",
    "Begun": "开始", "Ended": "结束", "Gone on with": "继续于", "Heard of last": "最近消息",
    "Why, for the record": "原因（将被记录）", "Cancel this job": "取消此任务", "Log": "日志",
    "All {count} metrics of its run": "该运行的全部 {count} 个指标",
    "What was asked": "任务内容", "What was suspicious about the rows": "数据中的可疑之处",
    "Made": "产生", "no version": "没有版本",
    "It logged nothing yet.": "尚未记录任何指标。", "Hyperparameters": "超参数", "none": "无",
    "Checkpoints": "检查点", "Kept": "保存", "Tensors": "张量",
    "It kept nothing on its way.": "途中没有保存检查点。", "Where it came from": "来源",
    "Fingerprint of its data": "数据指纹", "Table": "表格", "Points": "点数",
    "{drawn} of {points} points": "{points} 个点中的 {drawn} 个",
    "{count} are no finite numbers": "{count} 个不是有限数",
    "None of its {count} points is a finite number.": "{count} 个点都不是有限数。",
    "step {x}": "第 {x} 步", "point {x}": "第 {x} 点", "Least": "最小", "Greatest": "最大",
    "Least at step": "最小值所在步", "Greatest at step": "最大值所在步",
    "Least at point": "最小值所在点", "Greatest at point": "最大值所在点", "lost": "失联",
    "Chains": "任务链", "Chain": "任务链", "Chain {name}": "任务链 {name}", "No chain was run.": "还没有运行过任务链。",
    "Steps that need one another stand in a file:": "相互依赖的步骤写在一个文件里：", "Chain step": "步骤",
    "Steps of the chain": "任务链的步骤", "Steps that finished": "已完成的步骤",
    "{done} steps finished": "已完成 {done} 个步骤",
    "Events of this chain": "此任务链的事件",
    "What waits for what": "任务的先后关系", "Waits for": "等待", "{count} more are not shown": "另有 {count} 个未显示",
    "all that it waited for has finished": "它等待的任务都已完成",
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
