"""What the pages say, in Chinese, by the English that stands in templates and code."""

from __future__ import annotations

from typing import Final

from .asking.chinese import ASKING

PAGES: Final = {
    **ASKING,
    # the frame
    "Skip to the content": "跳到正文", "Pages": "页面", "Models": "模型", "Events": "事件", "Search": "搜索",
    "Jobs": "任务", "Status": "状态", "As of": "截至", "now": "现在", "Look": "查看",
    "An event's number, a day or a time in UTC": "事件编号、日期或 UTC 时间",
    "The ledger as it was behind event {seq}.": "这是事件 {seq} 之后账本的样子。", "Back to now": "回到现在",
    "You are {name}": "当前用户：{name}", "Log in": "登录", "Log out": "退出", "Token": "令牌",
    "This page as JSON": "本页的 JSON", "This cannot be shown": "无法显示", "To the models": "前往模型列表",
    "This ledger is for those who hold a token. Whoever keeps it makes one:":
        "此账本仅供持有令牌者使用。由管理者创建：",
    "Where this page is": "本页位置", "About this model": "关于此模型", "just now": "刚刚",
    # models
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
    "Newest": "最新", "Older": "更早",
    # names
    "Names of {model}": "{model} 的名称", "Aliases": "别名", "Branches": "分支", "Tags": "标签", "Name": "名称",
    "Digest": "摘要", "Last move": "最近一次移动", "A new name": "新名称", "Kind": "种类",
    "alias": "别名", "tag": "标签",
    "branch": "分支", "Reason": "理由", "Put it there": "设置", "{name} of {model}": "{model} 的 {name}",
    "Done:": "完成：",
    "It stands on version": "当前指向版本", "It stands nowhere.": "当前不指向任何版本。",
    "It moves only by a gate: {requirements}": "仅可通过门禁移动：{requirements}",
    "Who moved it, when and why": "何人、何时、为何移动", "When": "何时", "Who": "何人", "From": "从", "To": "到",
    "Why": "理由", "Event": "事件", "Take back": "撤销", "nowhere": "无", "no reason given": "未给出理由",
    "rolled back": "已回退", "takes back event {seq}": "撤销事件 {seq}", "Put back on {number}": "放回版本 {number}",
    "Put it elsewhere": "移到别处", "Move": "移动", "Without its gate, for the reason": "不经门禁，凭上述理由",
    # rolling back
    "Roll back {model}": "回退 {model}", "1. Choose": "1. 选择", "2. What would change": "2. 将会改变什么",
    "3. Confirm": "3. 确认", "Branch": "分支", "Alias": "别名", "Back to version": "回到版本",
    "where it stood before": "之前的位置", "Rehearse on": "预演数据", "no rows": "不预演",
    "Show what would change": "显示将会改变什么", "Roll back an alias instead": "改为回退别名",
    "Roll back a branch instead": "改为回退分支", "What the ledger would go back to": "账本建议回到哪里",
    "All differences": "全部差异", "It stands there already.": "已在该版本。",
    "Roll {name} back to version {number}": "将 {name} 回退到版本 {number}",
    "Every byte is restored and verified first. If the name was moved since this page was made, nothing happens.":
        "先恢复并校验每个字节。若本页生成后该名称已被移动，则什么也不会发生。",
}  # fmt: skip
