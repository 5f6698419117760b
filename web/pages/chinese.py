"""What the pages say, in Chinese, by the English that stands in templates and code."""

from __future__ import annotations

from typing import Final

from .asking.chinese import ASKING

PAGES: Final = {
    **ASKING,
    "Models": "模型",
}
