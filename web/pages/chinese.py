"""What the pages say, in Chinese, by the English that stands in templates and code."""

from __future__ import annotations

from typing import Final

PAGES: Final = {
    "Models": "模型",
}
