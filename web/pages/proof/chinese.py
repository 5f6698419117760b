"""What the page of proofs and the banner of a broken history say, in Chinese."""

from __future__ import annotations

from typing import Final

EVIDENCE: Final = {
    "What this means, and what to do": "这意味着什么，该怎么办",
    "The history of this ledger was rewritten: it does not go on from the head of {size} events that this "
    "browser saw on {time} (root {root}).":
        "此账本的历史被改写了：它不是此浏览器于 {time} 所见、含 {size} 个事件的链头（根 {r"
        "oot}）的延续。",
    "The history of this ledger was cut short: it ends at event {end}, and this browser saw a head of "
    "{size} events on {time} (root {root}).":
        "此账本的历史被截短了：它止于事件 {end}，而此浏览器于 {time} 见过含 {size} 个事"
        "件的链头（根 {root}）。",
    "Another ledger is at this address: {other}. On {time} this browser saw ledger {ledger} here.":
        "此地址上是另一个账本：{other}。此浏览器于 {time} 在此见到的是账本 {ledger}。",
    "Proof": "证明",
    "its proof": "其证明",
    "Proof that event {seq} is in the log": "事件 {seq} 在日志中的证明",
    "The server recomputed it: from the event's stored bytes {count} steps lead to the head's root.":
        "服务器已重新计算：从事件存储的字节出发，经 {count} 步到达链头的根。",
    "Download the proof": "下载证明",
    "Head": "链头",
    "{count} events": "{count} 个事件",
    "Root": "根",
    "Signed by": "签名者",
    "nobody: the server has no key, so the proof proves no more than whoever hands it over":
        "无：服务器没有密钥，因此证明的可信度不超过交出它的人",
    "The audit path": "审计路径",
    "At each step the hash so far and the one beside it are hashed together; the last gives the root.":
        "每一步把当前哈希与旁边的哈希合在一起再求哈希；最后得到根。",
    "Level": "层",
    "Side": "侧",
    "Hash beside it": "旁边的哈希",
    "Gives": "得到",
    "left": "左",
    "right": "右",
    "A proof shows that an event is in this ledger's log, or that the log only grew since a head that was "
    "kept elsewhere. It is checked without the ledger.":
        "证明表明某事件在此账本的日志中，或日志自别处保存的链头以来只增不改。检查证明不需要账本。",
    "An event's number, or a name such as credit@production": "事件编号，或 credit@production 这样的名称",
    "Prove it": "证明",
    "This browser computes no hashes here (it has WebCrypto over https and on this machine alone), so the "
    "server checks what you give it.":
        "此处浏览器无法计算哈希（仅在 https 或本机上才有 WebCrypto），因此由服务器检查您给出"
        "的内容。",
    "The head that this browser saw last": "此浏览器上次所见的链头",
    "If the ledger was restored from a backup, or another was put here on purpose, whoever keeps it can "
    "say so. Else keep this database as it is, and hold it against the heads that witnesses have. "
    "Accepting forgets the head that disagrees: from then on this browser goes by the log as it is now.":
        "如果账本是从备份恢复的，或有意换成了另一个，管理者可以说明。否则请保持此数据库原样，并与见证者保存的"
        "链头核对。接受会忘记不符的链头：此后浏览器以现在的日志为准。",
    "Accept the log as it is now": "接受现在的日志",
    "Check a proof": "检查证明",
    "It holds: event {seq} is in the log of {size} events of ledger {ledger}.":
        "成立：事件 {seq} 在账本 {ledger} 含 {size} 个事件的日志中。",
    "It holds: the log of {size} events of ledger {ledger} goes on from that of {old}.":
        "成立：账本 {ledger} 含 {size} 个事件的日志是含 {old} 个事件的日志的延续。",
    "Signed by {key}.": "由 {key} 签名。",
    "No key was given, so nobody's signature was checked.": "未给出密钥，因此没有检查签名。",
    "A file: it is read here and not sent": "文件：只在此处读取，不会发送",
    "The proof, as in its file": "证明（文件内容）",
    "Verifier key of who signs, which you have from elsewhere": "签名者的验证密钥（请从别处取得）",
    "Check it in this browser": "在此浏览器中检查",
    "Have the server check it": "由服务器检查",
    "Hold this ledger against a head": "用链头核对此账本",
    "It holds: this ledger's log goes on from the head of {size} events.":
        "成立：此账本的日志是含 {size} 个事件的链头的延续。",
    "Every stored byte was read for it.": "为此读取了存储的每个字节。",
    "The tree was read for it, not every stored byte: that takes the rights for everything.":
        "为此读取了哈希树，而非每个字节：后者需要全部权限。",
    "The head that you kept, or several": "您保存的链头（一个或多个）",
    "This is no proof of Lepton's: give the whole file.": "这不是 Lepton 的证明：请给出整个文件。",
    "The event's bytes give the leaf {hash}.": "事件的字节得出叶 {hash}。",
    "{count} steps lead from the leaf to the root: event {seq} is in the log of {size} events.":
        "从叶经 {count} 步到达根：事件 {seq} 在含 {size} 个事件的日志中。",
    "The {count} steps do not lead to the head's root: the event, the path or the head was altered.":
        "这 {count} 步到不了链头的根：事件、路径或链头被改动过。",
    "The event says itself that it is number {seq} of ledger {ledger}.":
        "事件自身写明它是账本 {ledger} 的第 {seq} 号。",
    "The event is of another place or ledger than the proof says.": "事件的位置或账本与证明所说不符。",
    "It says: {what}, at {time}, by pseudonym {author}.": "它写明：{what}，时间 {time}，假名 {author}。",
    "The check could not be finished, so nothing was proved.": "检查未能完成，因此什么也没有证明。",
    "Two of the heads are of {size} events and have two roots: whoever made them has two histories. Keep both.":
        "其中两个链头同为 {size} 个事件而根不同：制作者有两个历史。请两个都保存。",
    "The server's answer is no head, so it cannot show that its log goes on from yours.":
        "服务器的回答不是链头，因此它无法表明其日志是您的链头的延续。",
    "The log of {size} events goes on from that of {old}: nothing of it was changed or taken out.":
        "含 {size} 个事件的日志是含 {old} 个事件的日志的延续：没有更改或删除。",
    "The log of {size} events does not go on from that of {old}.":
        "含 {size} 个事件的日志不是含 {old} 个事件的日志的延续。",
    "The verifier key is none; it is NAME+ID+BASE64, copied whole.":
        "这不是验证密钥；应为完整的 NAME+ID+BASE64。",
    "The head is signed by {name}.": "链头由 {name} 签名。",
    "The signature of {name} is of another text: the head was altered.":
        "{name} 的签名属于另一段文字：链头被改动过。",
    "The head is not signed by {name}.": "链头不是由 {name} 签名的。",
    "This browser knows no Ed25519, so the signature was not checked; the server can check it.":
        "此浏览器不支持 Ed25519，因此未检查签名；可由服务器检查。",
    "This is no head: give the file that sign-head or a witness wrote, whole.":
        "这不是链头：请给出 sign-head 或见证者所写的整个文件。",
    "The server could not be asked; try again.": "无法询问服务器；请重试。",
    "The head is of ledger {ledger}, and this is {other}.": "链头属于账本 {ledger}，而这里是 {other}。",
    "This ledger's log goes on from the head of {size} events; {more} events came later.":
        "此账本的日志是含 {size} 个事件的链头的延续；之后又有 {more} 个事件。",
    "Event {last} is the first that is not what was signed.": "事件 {last} 是第一个与签名不符的。",
    "The history is not what was signed: an event among {first} to {last} is the first that differs, and "
    "a root alone does not tell which.":
        "历史与签名不符：第一个不同的事件在 {first} 到 {last} 之间，仅凭根无法判断是哪一个。",
    "The log was cut short: the head has {size} events, the log ends at {end}, and event {next} is the "
    "first that is missing.":
        "日志被截短了：链头有 {size} 个事件，日志止于 {end}，事件 {next} 是第一个缺失的。",
    "This browser had seen no head here; it keeps that of {end} events.":
        "此浏览器在此未见过链头；现保存含 {end} 个事件的链头。",
    "The log of {end} events goes on from that of {size}, seen on {time}.":
        "含 {end} 个事件的日志是 {time} 所见含 {size} 个事件的日志的延续。",
    "The log, which has {end} events, does not go on from the head of {size} events, seen on {time}.":
        "日志有 {end} 个事件，不是 {time} 所见含 {size} 个事件的链头的延续。",
}  # fmt: skip
