"""What charts on pages say, in Chinese."""

from __future__ import annotations

from typing import Final

CHARTS: Final = {
    "Explore": "交互查看",
    "The interactive chart could not be loaded; the drawing and its table say the same.": (
        "无法加载交互图表；图与其表格内容相同。"
    ),
    "Chart: {title}. The table below it has its values.": "图表：{title}。数值见下方表格。",
    "This chart is still being drawn; reload the page to see it. Its table says the same.": (
        "此图仍在绘制；请刷新页面查看。其表格内容相同。"
    ),
    "This server draws no charts: its extra plot is not installed. The table says the same.": (
        "此服务器不绘制图表：未安装其 plot 附加组件。表格内容相同。"
    ),
    "{shown} of {count} rows": "{count} 行中的 {shown} 行",
    "Metric by version": "各版本的指标",
    "{metric} by version": "各版本的 {metric}",
    "It was measured on {count} sets of rows; only figures of the same rows compare.": (
        "在 {count} 组不同的数据行上测得；只有相同数据行的指标可以比较。"
    ),
    "Plot": "绘图",
    "line": "折线",
    "bars": "柱形",
    "points": "散点",
    "Color": "颜色",
    "Draw": "绘制",
    "Steps": "步",
    "{y} by {x}": "{y}（按 {x}）",
    "{shown} of {count} rows are drawn.": "已绘制 {count} 行中的 {shown} 行。",
    "{count} rows without a finite value are left out.": "略去 {count} 行没有有限值的数据。",
    "Of the answer every so many rows are taken; a file has all of them.": "按等间隔取行；全部内容见文件。",
}
