"""What people read, in Chinese, by the English that stands in the code."""

from __future__ import annotations

from typing import Final

from .library_chinese import LIBRARY
from .pages.chinese import REPORTS

NOUNS: Final = {
    "actor": "位操作者", "archived model": "个已归档的模型", "delta": "个差值", "event": "个事件", "file": "个文件",
    "digest": "个摘要", "message": "条消息", "note": "条备注", "outside message": "条外部消息", "parameter": "个参数",
    "prediction": "条预测", "record": "条记录", "refused save": "次被拒绝的保存", "row": "行",
    "tensor": "个张量", "figure": "项指标", "hyperparameter": "个超参数", "metric": "项指标",
    "settings value": "项设置", "architecture value": "项结构", "data value": "项数据", "environment value": "项环境",
    "code value": "项代码", "column": "列", "thing": "处", "version": "个版本",
}  # fmt: skip
"""What is counted, with its measure word."""

CHINESE: Final = {
    **LIBRARY,
    **REPORTS,
    # the log
    "from {others}": "来自 {others}",
    "branch {ref} opened": "新建分支 {ref}",
    "{ref} moved": "{ref} 已移动",
    "{ref} set": "{ref} 已设置",
    "{ref} {back}": "{ref} {back}",
    "rolled back": "已回退",
    "branch {ref} deleted": "分支 {ref} 已删除",
    "{ref} deleted": "{ref} 已删除",
    "alias {name}": "别名 {name}",
    "tag {name}": "标签 {name}",
    # show
    "version {number} of {model}  {names}": "{model} 的版本 {number}  {names}",
    "digest": "摘要",
    "parents": "父版本",
    "made": "生成",
    "run": "运行",
    "message": "说明",
    "none": "无",
    "{when} by {actor} on {branch}, event {seq}": "{when}，{actor}，分支 {branch}，事件 {seq}",
    "rows unknown": "数据未知",
    "logged; rows unknown": "记录的指标；数据未知",
    "stored whole": "完整存储",
    "delta from {version}: {elements} elements of {tensors}, {size}":
        "与版本 {version} 的差值：{tensors}中的 {elements} 个元素，{size}",
    "metrics": "指标",
    "hyperparameters": "超参数",
    "settings": "设置",
    "architecture": "结构",
    "data": "数据",
    "derivation": "来历",
    "annotations": "备注",
    "code": "代码",
    "files": "文件",
    "tensors": "张量",
    "environment": "环境",
    "scalar": "标量",
    # roles of parents that Lepton gives
    "trained": "训练", "merged": "合并", "initialised": "初始化", "fine_tuned": "微调",
    "calibrated": "校准", "thresholded": "调整阈值",
    # models and names
    "description": "描述",
    "versions": "版本",
    "{versions}, the last {when}": "{versions}，最近 {when}",
    " (archived)": "（已归档）",
    "branches": "分支", "tags": "标签", "aliases": "别名",
    "better {way}": "{way}更好", "lower": "越低", "higher": "越高",
    "model": "模型", "changed": "更新", "branches, aliases": "分支、别名", "for": "用途",
    "version": "版本", "branch": "分支", "name": "名称",
    "no version is so": "没有这样的版本",
    "there are no branches": "没有分支", "there are no tags": "没有标签", "there are no aliases": "没有别名",
    "there are no models yet; `lepton train` or `lepton save` makes the first":
        "还没有模型；用 `lepton train` 或 `lepton save` 建立第一个",
    "and {models}; --all shows them": "另有 {models}；--all 全部显示",
    "branch {name} is given up; its versions stay": "分支 {name} 已放弃，其版本保留",
    "tag {name} is given up": "标签 {name} 已放弃",
    "alias {name} is given up": "别名 {name} 已放弃",
    "branch {name} opened at version {version} of {model}": "分支 {name} 建立于 {model} 的版本 {version}",
    "tag {name} bound to version {version} of {model}": "标签 {name} 指向 {model} 的版本 {version}",
    "alias {name} stands on version {version} of {model}": "别名 {name} 指向 {model} 的版本 {version}",
    "version {version} of {model} bears {notes}": "{model} 的版本 {version} 有 {notes}",
    "{what} is described": "{what} 已加描述",
    "version {version} of {model} may be suggested again": "{model} 的版本 {version} 可再次被推荐",
    "model {model} is archived; `lepton unarchive` opens it again": "模型 {model} 已归档；`lepton unarchive` 重新打开",
    "model {model} is open": "模型 {model} 已打开",
    "model {model} is open already": "模型 {model} 本来就已打开",
    "model {model} is already archived; `lepton unarchive` opens it again":
        "模型 {model} 早已归档；`lepton unarchive` 重新打开",
    "version {version} of {model} may already be suggested again": "{model} 的版本 {version} 早已可再次被推荐",
    "{name} of {model} is better {way}": "{model} 的 {name} {way}更好",
    "{name} of {model} is better {way}, as it was defined already": "{model} 的 {name} {way}更好，早已如此定义",
    "branch {name} already stands at version {version} of {model}": "分支 {name} 早已位于 {model} 的版本 {version}",
    "tag {name} is already bound to version {version} of {model}": "标签 {name} 早已指向 {model} 的版本 {version}",
    "alias {name} already stands on version {version} of {model}": "别名 {name} 早已指向 {model} 的版本 {version}",
    "job {job} is already {status}": "任务 {job} 早已{status}",
    "{model} on {branch} holds that already, as version {version}":
        "{model} 的分支 {branch} 已有此内容，即版本 {version}",
    "nothing was missing": "没有缺失",
    "no metric was defined; `lepton metric define MODEL NAME --better lower` does so":
        "还没有定义指标；用 `lepton metric define MODEL NAME --better lower` 定义",
    # rollback, merge
    "rehearsed on versions {first} and {last}: {metric} {step}": "在版本 {first} 和 {last} 上预演：{metric} {step}",
    "{ref} of {model}: {before} {arrow} {after}": "{model} 的 {ref}：{before} {arrow} {after}",
    "it stands there already": "已经在那里",
    "leaves": "离开", "restores": "恢复", "figures": "指标",
    "{versions} and {count} more": "{versions} 及另外 {count} 个",
    "{tensors} to change, {size}; reads {read}": "{tensors}将改变，{size}；读取 {read}",
    "{tensors} to change, {size}; reads {read} and replays {deltas}":
        "{tensors}将改变，{size}；读取 {read}，重放 {deltas}",
    "none on rows that both versions were judged on": "两个版本没有在相同数据上评估过",
    "stays on {version} ({takes} takes it along)": "留在版本 {version}（{takes} 使其一并移动）",
    "{ref} of {model} rolled back {move}, restored and verified by {how}":
        "{model} 的 {ref} 已回退 {move}，{how}恢复并校验",
    "replaying {deltas}": "重放 {deltas}",
    "reading it whole": "完整读取",
    "nothing moved: {ref} stands on version {version}": "没有移动：{ref} 已在版本 {version}",
    "version {version} of {model} holds that already, and is the head of {into}":
        "{model} 的版本 {version} 已包含它，并且是 {into} 的最新版本",
    "version {version} of {model} merges {parents} into {into}": "{model} 的版本 {version} 将 {parents} 合并到 {into}",
    "{one} and {other}": "{one} 和 {other}",
    # comparing
    "nothing differs": "没有差别",
    "changed_tensor": "改变", "added": "新增", "removed": "移除", "reshaped": "变形",
    "elements": "元素", "norm": "范数", "relative": "相对", "cosine": "余弦", "largest": "最大",
    "rows not shared": "数据不同",
    "{model} by {metric} on {rows}, best first": "{model}，按 {metric}，数据 {rows}，最好的在前",
    "the best of figures on the same rows": "相同数据上最好的指标",
    "the same for all: {parts}; {whole}": "全部相同：{parts}；{whole}",
    "the same: {parts}; {whole}": "相同：{parts}；{whole}",
    "the same": "相同",
    ", ": "、",
    "{count} differ": "{count} 项不同",
    "--all, or .whole in Python, shows them": "--all（Python 中为 .whole）全部显示",
    "  and {count} more; {whole}": "  另有 {count} 个；{whole}",
    "  and {count} more that changed less; {whole}": "  另有 {count} 个变化较小；{whole}",
    "{names} and {count} more": "{names} 及另外 {count} 个",
    "what ends in {mark} is cut; --format csv shows all of it": "以 {mark} 结尾的已截断；--format csv 显示全部",
    "rows that nobody named": "未说明的数据",
    # suggesting
    "{model} {branch}: by {metric} on {rows}": "{model} {branch}：按 {metric}，数据 {rows}",
    "{model} {branch}: by stability and age": "{model} {branch}：按稳定性和新旧",
    "score": "得分", "why": "理由", "performance": "表现", "stability": "稳定性", "age": "新近",
    "Roll {branch} back to version {version}": "建议将 {branch} 回退到版本 {version}",
    # work
    "version {version} of {model} on {branch}": "{model} 的版本 {version}，分支 {branch}",
    "version {version} of {model}: {performance}": "{model} 的版本 {version}：{performance}",
    "{figure} is {value} on {rows} clean rows; {hurt} of {all} perturbations make it worse beyond chance":
        "{rows} 行原始数据上 {figure} 为 {value}；{all} 种扰动中有 {hurt} 种使其变差，超出偶然",
    "{kind} {severity}: not predicted ({why})": "{kind} {severity}：未能预测（{why}）",
    "{figure} where inputs are perturbed": "输入受扰动时的 {figure}",
    "perturbation": "扰动", "severity": "强度",
    "shift": "平移", "scale": "缩放", "noise": "噪声", "swapped": "互换",
    "blur": "模糊", "brightness": "亮度",
    "a row costs {before} before and {after} after, kept on {branch} of {model} as version {version}":
        "每行成本由 {before} 变为 {after}，保存在 {model} 的分支 {branch}，为版本 {version}",
    "expected calibration error {before} before and {after} after, kept on {branch} of {model} as version {version}":
        "预期校准误差由 {before} 变为 {after}，保存在 {model} 的分支 {branch}，为版本 {version}",
    "job {job} is {status}; `lepton jobs` tells how it goes, `lepton worker` works on it":
        "任务 {job} {status}；`lepton jobs` 查看进度，`lepton worker` 执行它",
    "job {job} is {status}": "任务 {job} {status}",
    "chain {chain} is {status}": "任务链 {chain} {status}", "needs": "依赖", "job, or why": "任务或原因",
    "job": "任务", "kind": "类型", "status": "状态", "submitted": "提交", "message, or why": "说明或原因",
    "no job was asked for": "没有任务", "no chain was run": "还没有运行过任务链",
    "waiting": "等待中", "queued": "排队中", "assigned": "已分配", "running": "运行中", "finished": "已完成",
    "failed": "失败", "cancelled": "已取消",
    # named data
    "{name}, version {version} of {versions}": "{name}，第 {version} 版（共 {versions} 版）",
    "{rows}, {columns}, digest {digest}": "{rows}，{columns}，摘要 {digest}",
    "labels": "标签列", "place": "位置", "named": "命名", "{when} by {actor}": "{when}，{actor}",
    "column": "列", "columns": "列数", "holds": "内容", "missing": "缺失", "distinct": "不同值", "levels": "取值",
    "not told": "不显示", "numbers": "数值", "texts": "文本", "dates": "日期",
    "{rows} of others": "其他 {rows}",
    "kept here, {size} as Parquet": "已保存在此，Parquet {size}",
    "not kept, and in no known place": "未保存，位置未知",
    "no data has a name": "没有命名的数据",
    "nearly every row has another value": "几乎每行的值都不同", "too few rows share a value": "取值相同的行太少",
    "{name} stands for {rows}": "{name} 现在指 {rows}",
    "{name} stands for these {rows} already": "{name} 已经指这 {rows}",
    # drift
    "{after} against {before}: {drifted} of {columns} drifted beyond chance":
        "{after} 与 {before} 相比：{columns}中有 {drifted} 列的漂移超出随机",
    "{after} against {before}: no drift beyond chance in what was tested of {columns}":
        "{after} 与 {before} 相比：{columns}中经检验的没有超出随机的漂移",
    "{after} against {before}: no drift beyond chance in {columns}":
        "{after} 与 {before} 相比：{columns}都没有超出随机的漂移",
    "psi": "PSI", "test": "检验", "p (Holm)": "p（Holm）",
    "only in {name}: {columns}": "仅在 {name} 中：{columns}",
    "of another type in {name}: {columns}": "在 {name} 中类型不同：{columns}",
    "not compared, for they tell rows apart: {columns}": "能区分各行，未作比较：{columns}",
    "compared by their profiles, where only levels are tested, for {reason}": "仅按概况比较（只检验取值）：{reason}",
    "large drift": "漂移大", "moderate drift": "漂移中等", "small drift": "漂移小",
    "no drift beyond chance": "没有超出随机的漂移", "large, not tested": "大，未检验",
    "moderate, not tested": "中等，未检验", "small, not tested": "小，未检验", "unknown drift": "有漂移，大小未知",
    "nothing to compare": "无从比较",
    # files
    "{model} on {branch} has version {version}": "{model} 的分支 {branch} 有了版本 {version}",
    "the version of {model} on {branch} waits in the spool; `lepton sync` tells the ledger":
        "{model} 在分支 {branch} 的版本暂存待交；`lepton sync` 将其告知账本",
    "{tensors} of version {version} of {model} in {file}": "{model} 的版本 {version} 的 {tensors}已写入 {file}",
    "version {version} of {model} is in {folder}: {files}": "{model} 的版本 {version} 已写入 {folder}：{files}",
    "{files} in {folder}": "{folder} 中有 {files}",
    "{predictions} by version {version} of {model} in {file}": "{model} 的版本 {version} 的 {predictions}已写入 {file}",
    # care
    "whole": "完好",
    "{whole}: {events} of ledger {ledger} give the recorded root": "{whole}：账本 {ledger} 的 {events}得出所记录的根",
    "{actors} forgotten: events bear a pseudonym that no name stands for": "{actors}已被遗忘：事件只带无名的化名",
    "This proves that the ledger is whole in itself, not that nobody rewrote all of it: only a root or a signed":
        "这证明账本自身完好，不证明无人重写过整个账本：只有在别处保存的根",
    "head that was kept elsewhere proves history. Which name a pseudonym stands for nothing proves.":
        "或签名能证明历史。化名对应谁，没有什么能证明。",
    "as signed": "与签名一致",
    "{as_signed}: its first {events} are the history of the head; {later} came later":
        "{as_signed}：其前 {events}就是所签日志头的历史；之后又有 {later}",
    "head": "日志头",
    "{head} of {events} of ledger {ledger}": "账本 {ledger} 的 {head}，共 {events}",
    "its time: {when}": "时间：{when}",
    "signed by {key}": "签名密钥：{key}",
    "{what}, by pseudonym {author}": "{what}，化名 {author}",
    "nobody's signature was checked: without {option} it proves no more than whoever gave you the head":
        "未核对签名：没有 {option}，其可信程度只等于给你日志头的人",
    "a proof that event {seq} is in the log": "证明事件 {seq} 在日志中",
    "a proof that the log goes on from an earlier head": "证明日志由先前的日志头延续而来",
    "proved": "证明成立",
    "{proved}: event {seq} is in the log of {events} of ledger {ledger}":
        "{proved}：事件 {seq} 在账本 {ledger} 的日志中，日志共 {events}",
    "{proved}: the log of {events} of ledger {ledger} begins with the {old} that were signed before":
        "{proved}：账本 {ledger} 的日志共 {events}，其开头就是先前签名的 {old}",
    "the head is in {file}": "日志头已写入 {file}",
    "the proof is in {file}": "证明已写入 {file}",
    "the key is in {file}; it is verified by": "密钥已写入 {file}；其验证密钥是",
    "{whole}: nothing is damaged": "{whole}：没有损坏",
    "{things} damaged": "{things}损坏",
    "thing": "对象", "expected": "应为", "found": "实为",
    "nothing waits": "没有待交的内容",
    "the views are made anew, up to event {seq}": "视图已重建，到事件 {seq}",
    "the views are in {file}": "视图已写入 {file}",
    # status
    "home": "主目录", "ledger": "账本", "events": "事件", "root": "根", "last recorded": "最近记录", "Kafka": "Kafka",
    "passed over": "略过", "topics": "主题", "rejected": "被拒", "spool": "暂存", "jobs": "任务", "workers": "工作进程",
    "views": "视图", "kept": "保留", "database": "数据库",
    "{folder}, open to {whom}": "{folder}，{whom}可用",
    "its owner": "仅所有者", "everybody": "所有人", "its group": "所属组",
    "unknown: {why}": "未知：{why}",
    "none; the database is the only copy": "无；数据库是唯一副本",
    "has every event": "拥有全部事件",
    "lacks {events} since {when}: lost with the database": "自 {when} 起缺 {events}：会随数据库一起丢失",
    "{queued} queued, {at_work} at work": "{queued} 个排队，{at_work} 个进行中",
    "{queued} queued, {at_work} at work, {waiting} wait for others":
        "{queued} 个排队，{at_work} 个进行中，{waiting} 个等待其他任务",
    "{workers} heard of lately": "最近有 {workers} 个",
    "up to event {seq}": "到事件 {seq}",
    "none yet, or busy; the next `lepton sql` brings them up to date": "尚无或正忙；下次 `lepton sql` 会更新",
    "unknown while the database is away": "数据库不在，未知",
    "{saves}; `lepton kept` lists them": "{saves}；`lepton kept` 列出",
    "{waiting} waiting, {aside} put aside; see `lepton sync`": "{waiting} 个待交，{aside} 个搁置；见 `lepton sync`",
    "{rows} in {file}": "{rows}已写入 {file}",
    "stopped after {messages}": "已停止，共 {messages}", "stopped serving at {address}": "已停止在 {address} 提供服务",
    "the page is at {address} until Ctrl-C": "网页地址：{address}（按 Ctrl-C 结束）",
    "stopped after event {seq}": "已停止于事件 {seq} 之后", "stopped at event {seq}": "已停止于事件 {seq}",
    "worker {worker} left in good order": "工作进程 {worker} 已正常退出",
    "events {first} to {last} are back": "事件 {first} 到 {last} 已恢复",
    "message {number} is admitted": "消息 {number} 已接收",
    "no message stands refused": "没有被拒绝的消息",
    "number": "编号", "reason": "原因",
    "a new ledger is in {home}, open to {whom}": "新账本在 {home}，{whom}可用",
    "the ledger was already in {home}, open to {whom}": "账本已在 {home}，{whom}可用",
    "{name} is dropped": "{name} 已丢弃", "{name} is forgotten": "{name} 已被遗忘",
    "{name} is version {version} of {model}": "{name} 成为 {model} 的版本 {version}",
    "version {version} of {model}": "{model} 的版本 {version}",
    "{events} set aside, for the views cannot hold a value in it: lepton sql 'from unprojected'":
        "{events}被搁置，视图容不下其中的值：lepton sql 'from unprojected'",
    "delivered": "已交付", "refused": "被拒绝", "damaged entry": "损坏的条目",
    "{kind} of {what}, asked by {actor}": "{what} 的 {kind}，{actor} 提出",
    "{digests} not found; {copies} takes a copy of the objects": "{digests}没有找到；{copies} 可用对象的副本",
    "nothing to do: ledger {ledger} has format {after}, which is today's":
        "无需升级：账本 {ledger} 已是当前格式 {after}",
    "would bring {events} of ledger {ledger} from format {before} to {after}; nothing was changed":
        "将把账本 {ledger} 的 {events}从格式 {before} 升到 {after}；未作改动",
    "and first copy about {size} to {copy}": "并先将约 {size} 复制到 {copy}",
    "upgraded": "已升级", "written again": "已重写", "not healed": "未修复",
    "{events} of ledger {ledger} from format {before} to {after}, with the root unchanged":
        "账本 {ledger} 的 {events}从格式 {before} 升到 {after}，根未变",
    "What was before is in {copy}; delete it once you are sure.": "之前的内容在 {copy}；确认无误后可删除。",
    "no refused save is kept": "没有被拒绝的保存",
    "it kept nothing on its way": "途中没有保留内容", "it logged no files": "没有记录文件",
    "media type": "媒体类型", "{name} is in {file}": "{name} 已写入 {file}", "there is no such run": "没有这样的运行",
    "there are no runs yet; a training script begins one (docs/runs.md)":
        "还没有运行；训练脚本开始一个（docs/runs.md）",
    "trial": "试验",
    "trials": "试验", "candidate": "候选", "difference (95 %)": "差异（95 %）", "seconds": "秒", "label": "标签",
    "{label}: {task}, {rows} rows, {columns} columns, {folds} folds; {trials} trials in {seconds} s": (
        "{label}：{task}，{rows} 行，{columns} 列，{folds} 折；{seconds} 秒内 {trials} 次试验"
    ),
    "note: {remark}": "注意：{remark}",
    "{candidate} left out: {reason}": "未采用 {candidate}：{reason}",
    "{candidate}: {reason}": "{candidate}：{reason}",
    "next: {advice}": "下一步：{advice}",
    "kept {candidate} in {model} as version {version}": "已将 {candidate} 保存到 {model}，版本 {version}",
    "drop the columns that the notes name, where they are what they seem, and build again": (
        "若注意中的列确实如此，请去掉它们并重新构建"
    ),
    "linear is level with it, smaller and easier to explain: build with that candidate alone": (
        "linear 与之相当，更小也更易解释：可只用该候选构建"
    ),
    "the best came late, as trial {trial} of {trials}: a larger budget may find a better one": (
        "最佳结果出现较晚（第 {trial} 次，共 {trials} 次试验）：更大的预算可能找到更好的"
    ),
    "a larger budget has room for what took too long": "更大的预算可容纳耗时过长的候选",
    "{rows} rows leave the figures uncertain: more rows tell more than more trials": (
        "{rows} 行使指标不够确定：增加行数比增加试验更有用"
    ),
    "evaluate {version} on rows that no fold had": "用各折之外的行评估 {version}",
    "one round of its folds takes more than a fifth of the budget": "一轮交叉验证超过预算的五分之一",
    "the build was over before its turn": "轮到它之前构建已结束",
    "every trial of it failed": "其所有试验均失败",
    "each of its settings fell behind on the first folds": "其各种设置在前几折中均落后",
    "few parameters: hard to beat on few rows, and the yardstick of all others": (
        "参数少：行数少时难以超越，也是其他候选的标尺"
    ),
    "needs little tuning, and is not led astray by columns that tell nothing": "几乎无需调参，不受无用列干扰",
    "usually ahead on tables of numbers and categories, with or without gaps": (
        "在数值与类别表格上通常领先，无论有无缺失值"
    ),
    "an ensemble of nets in one (TabM): ahead where columns act smoothly and together": (
        "集成于一体的网络（TabM）：列平滑且共同作用时领先"
    ),
    "a head over a pretrained sentence encoder: the columns hold free text alone": (
        "预训练句子编码器上的分类头：列中只有自由文本"
    ),
    "its package is not installed": "未安装其软件包",
    "of so many rows its trees are large, and boosting is ahead": "行数过多时其树很大，提升法更优",
    "a net is tried on a hundred to a hundred thousand rows": "一百到十万行时才尝试网络",
    "nets need the extra: pip install 'lepton-ai-sdk[build]'": "网络需要附加包：pip install 'lepton-ai-sdk[build]'",
    "estimators need the extra: pip install 'lepton-ai-sdk[estimators]'": (
        "估计器需要附加包：pip install 'lepton-ai-sdk[estimators]'"
    ),
    "it was stopped; run again, it goes on": "已停止；再次运行即继续", "no search was run": "还没有运行过搜索",
    "study": "搜索", "stopped": "已停止", "complete": "完成", "pruned": "剪枝", "best": "最佳", "created": "创建于",
    "study {study}: {complete} trials complete, {pruned} pruned, {failed} failed": (
        "搜索 {study}：完成 {complete} 次试验，剪枝 {pruned} 次，失败 {failed} 次"
    ),
    "step": "步", "checkpoints": "检查点", "by": "操作者", "started": "开始", "heard of last": "最近消息",
    "ended": "结束", "resumed": "继续", "lost": "丢失",
    "{records} that others put on the topic; the last at offset {offset}: {why}":
        "他人放到主题上的 {records}；最近一条在偏移 {offset}：{why}",
    "; `lepton init --private` closes it": "；`lepton init --private` 将其关闭",
    "as of event {seq}, recorded {when}": "截至事件 {seq}，记录于 {when}",
    "as of before the first event": "截至第一个事件之前",
    "no rows": "没有行",
    "and {rows} more; --format csv shows all": "另有 {rows}；--format csv 全部显示",
    # gates
    "version {version} of {model} passes the gate": "{model} 的版本 {version} 通过关卡",
    "version {version} of {model} does not pass the gate": "{model} 的版本 {version} 未通过关卡",
    "against {version}": "对比版本 {version}",
    "parent {version}": "父版本 {version}",
    "requirement": "要求",
    "outcome": "结果",
    "met: {sums}": "满足：{sums}",
    "not met: {sums}": "未满足：{sums}",
    "not met: no figure for {names}": "未满足：{names} 没有指标值",
    "not met: it divides by zero, or takes infinity from infinity": "未满足：除数为零，或无穷大相减",
    "on rows {rows}; event {seq}": "数据 {rows}；事件 {seq}",
    "alias {alias} of {model} moves only to versions that passed a gate:":
        "{model} 的别名 {alias} 只能移到通过关卡的版本：",
    "that of suite {suite}": "套件 {suite} 的要求",
    "that of a suite": "某套件的要求",
    "against. is where {against} stands then": "against. 指移动时 {against} 所在的版本",
    "no alias is protected": "没有受保护的别名",
    "protected aliases": "受保护的别名",
    "alias {name} moves freely again": "别名 {name} 可以自由移动了",
    # paired tests and what they say
    "{figure} {difference} ({ends}), p {p} by {test}": "{figure} {difference}（{ends}），p {p}，{test}",
    "interval unknown": "区间未知",
    "{name}, {scheme}, {draws} draws": "{name}（{scheme}，{draws} 次）",
    "paired bootstrap": "配对自助法",
    "{size} effect ({measure} {value})": "效应{size}（{measure} {value}）",
    "negligible": "可忽略", "small": "小", "medium": "中等", "large": "大",
    "better": "更好", "worse": "更差", "not known": "尚不确定",
    "difference": "差值", "effect": "效应", "verdict": "结论",
    "against version {against} by {metric}": "与版本 {against} 相比，按 {metric}",
    "{tests}; p corrected for all pairs that were looked at (Holm)": "{tests}；p 已按所比较的全部配对校正（Holm）",
    "not tested: {why}": "未检验：{why}",
    "not tested, for no outcomes of these rows are kept: {versions}": "未检验（没有这些数据的逐行结果）：{versions}",
    "figures alone, chance or not; for tests give labelled rows, or evaluate all on the same rows":
        "仅比较指标，差异可能出于随机；如需检验，给出带标签的数据，或在相同数据上评估各版本",
    "by the figures alone, chance or not: {why}": "仅按指标比较，不知是否出于随机：{why}",
    "a class that judges itself says nothing of single rows": "该类自行评估，没有逐行结果",
    "version {last} is {verdict} than version {first} beyond chance (p {p} by {test})":
        "版本 {last} 比版本 {first} {verdict}，超出随机（p {p}，{test}）",
    "it is not known whether version {last} is worse (p {p} by {test})":
        "不能确定版本 {last} 是否更差（p {p}，{test}）",
    "it is not known whether version {last} is worse (p {p} by {test}); about {rows} would tell":
        "不能确定版本 {last} 是否更差（p {p}，{test}）；约需 {rows}才能判定",
    "version {version} beside {against}: {figure} {difference}, p {p} by {test}: {verdict}":
        "版本 {version} 与版本 {against} 相比：{figure} {difference}，p {p}（{test}）：{verdict}",
    # picking
    "no version of {model} meets what is required": "{model} 没有符合要求的版本",
    "version {version} of {model}: the only one that meets what is required": "{model} 的版本 {version}：唯一符合要求",
    "version {version} of {model}: the best by {by}, beyond chance": "{model} 的版本 {version}：{by} 最好，超出随机",
    "version {version} of {model}: the best by {by}": "{model} 的版本 {version}：{by} 最好",
    "version {version} of {model}: no worse than the best by {by} beyond chance, and of such the smallest, "
    "then the oldest":
        "{model} 的版本 {version}：按 {by} 与最好者相比并不更差（未超出随机），其中最小、最早",
    "version {version} of {model}: no other is better by any of {by}": "{model} 的版本 {version}：{by} 各项均无更好者",
    "no version of {model} is the best by all of {by}; none of these is beaten by another: {front}":
        "{model} 没有在 {by} 各项都最好的版本；互不支配的有：{front}",
    "version {version} of {model}: the best by {by}, in this order; a later figure decides among those that an "
    "earlier one finds no worse than the best":
        "{model} 的版本 {version}：按 {by} 的顺序最好；前一项不分高下时由后一项决定",
    "on {rows}": "数据：{rows}",
    "left out": "未入选",
    "not known: {numbers}": "未知：{numbers}",
    "not met: {numbers}": "未满足：{numbers}",
    "beside the best": "与最好者相比",
    "worse beyond chance (p {p})": "更差，超出随机（p {p}）",
    "not worse beyond chance (p {p})": "并不更差（p {p}）",
    # suites
    "suite {suite} is defined": "套件 {suite} 已定义",
    "suite {suite} is defined so already": "套件 {suite} 已是如此定义",
    "suite {suite} judges no more versions": "套件 {suite} 不再评判新版本",
    "suite {suite}, version {version} of {versions}": "套件 {suite}，第 {version} 版（共 {versions} 版）",
    "suite {suite} on version {version}": "套件 {suite}，版本 {version}",
    # tokens
    "token {token} of {owner}": "{owner} 的令牌 {token}",
    "token {token} of {owner} is revoked": "{owner} 的令牌 {token} 已吊销",
    "its secret, which is shown this once:": "令牌密文，仅显示这一次：",
    "it was made before, under the same key; its secret was shown then and cannot be shown again":
        "该令牌此前已用同一键创建；密文当时已显示，无法再次显示",
    "there is no token": "没有令牌",
    "scopes": "权限范围",
    "models": "模型",
    "expires": "到期",
    "never": "永不",
    "token": "令牌",
    "owner": "所有者",
    "good": "有效",
    "expired": "已过期",
    "revoked": "已吊销",
    "forgotten": "已遗忘",
    "no version was judged by it yet": "尚未评判任何版本",
    "there is no suite; `lepton suite define` makes one": "没有套件；`lepton suite define` 可定义",
    "{rows}, digest {digest}": "{rows}，摘要 {digest}",
    "not known any more": "已不可知",
    "watches": "监视",
    "requires": "要求",
    "compared with": "对比对象",
    "nothing": "无",
    "nothing; it is run by hand": "无；需手动运行",
    "branch {branch} of {model}": "{model} 的分支 {branch}",
    "retired": "已停用",
    "defined": "定义",
    "suite": "套件", "suites": "套件",
    "judged last": "最近评判",
    "passed": "通过", "not passed": "未通过", "evaluated": "已评估", "due": "待评判", "not judged": "未评判",
    "version {version}": "版本 {version}",
}  # fmt: skip
