"""What the pages of runs say, in Chinese."""

from __future__ import annotations

from typing import Final

RUNS: Final = {
    "It logged no files.": "没有记录文件。",
    "step {x}, one of {count}": "第 {x} 步，共 {count} 个", "At step": "所在步", "Earlier: step {x}": "更早：第 {x} 步",
    "Later: step {x}": "更晚：第 {x} 步", "More pictures": "更多图片",
    "This is its beginning; the file has the rest.": "这是开头部分；其余内容见文件。",
}  # fmt: skip
