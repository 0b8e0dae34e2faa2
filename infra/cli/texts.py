"""What the command line says of its own, in Chinese and English. The API answers in the language asked for.

The language is `MILLRACE_LANG`, else the terminal's (LC_ALL, LC_MESSAGES, LANG): zh…, or English.
"""

import os
from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]

TEXTS: dict[str, tuple[str, str]] = {
    "set_key": (
        "请先设置环境变量 MILLRACE_API_KEY（以及 MILLRACE_URL）",
        "set MILLRACE_API_KEY (and MILLRACE_URL)",
    ),
    "bad_url": (
        "MILLRACE_URL 必须以 http:// 或 https:// 开头：{url}",
        "MILLRACE_URL must begin with http:// or https://: {url}",
    ),
    "no_stack": ("{url} 不是 Millrace（请检查 MILLRACE_URL）", "{url} is no Millrace (MILLRACE_URL)"),
    "no_answer": ("{url} 没有响应：{error}", "{url} does not answer: {error}"),
    "not_fetched": ("结果文件下载失败：{status}", "the result could not be fetched: {status}"),
    "upload_refused": ("文件上传被拒绝：{status}", "the upload was refused: {status}"),
    "no_command": ("没有命令 `{typed}`，您要找的可能是：{meant}", "there is no `{typed}`; perhaps: {meant}"),
    "no_folder": ("文件夹 {folder} 不存在", "there is no folder {folder}"),
    "fields_needed": ("{file}：内容应是字段和它们的值", "{file}: fields and their values are needed"),
    "not_utf8": ("{file}：不是 UTF-8 文本", "{file}: is not UTF-8 text"),
    "is_file": (
        "这是文件而不是文本：请用 --save 指定保存位置",
        "this is a file, not text: say where to, with --save",
    ),
    "interrupted": ("已中断", "interrupted"),
    "job_goes_on": (
        "任务仍在继续：millrace jobs get {job_id}",
        "the job goes on: millrace jobs get {job_id}",
    ),
    "job_failed": ("任务失败：{error}", "the job has failed: {error}"),
    "progress": ("{done} / {total}", "{done} of {total}"),
    "page": ("共 {total} 条，显示 {shown} 条（--all 显示全部）", "{shown} of {total} (--all for all)"),
    "at_least": ("至少 {count}", "at least {count}"),
    "hidden": ("未显示的列：{names}（-o json 显示全部）", "not shown: {names} (-o json has all)"),
    "nothing": ("没有记录", "nothing there"),
    "would_change": (
        "以下是预览，尚未执行；加上 --dry-run false 执行",
        "this is a preview, nothing was changed; --dry-run false does it",
    ),
    "saved": ("已保存到 {file}（{size} 字节）", "saved to {file} ({size} bytes)"),
    "most_used": ("常用命令", "most used"),
    "all_commands": ("全部命令", "all commands"),
    "options_ids": ("参数", "arguments"),
    "options_query": ("筛选与选项", "filters and options"),
    "options_body": ("内容字段（也可以写在 -f 文件里）", "fields of the body (or in a file, -f)"),
    "options_output": ("输出", "output"),
    "help_help": ("显示这段说明", "show this help"),
    "help_output": (
        "输出格式：table（默认）、json、yaml",
        "how it is shown: table (the default), json, yaml",
    ),
    "help_save": ("把返回内容或任务结果保存到文件", "save the answer, or the job's result, to this file"),
    "help_file": (
        "内容文件（YAML 或 JSON），命令行选项会覆盖其中的字段",
        "the body, as YAML or JSON; options change it",
    ),
    "help_upload": (
        "随后把这个文件上传到返回的 upload_url",
        "then send this file to the answer's upload_url",
    ),
    "help_data": (
        "要发送的文件，@文件名；@- 为标准输入（{takes}）",
        "the file to send, @name; @-: standard input ({takes})",
    ),
    "help_all": ("所有页", "all pages"),
    "help_wait": ("等任务完成，--save 保存结果文件", "until the job is done; --save fetches its result"),
    "needed": ("必填", "needed"),
    "default": ("默认", "default"),
}


def language(environment: Mapping[str, str] = os.environ) -> Language:
    """The first of the settings that is there decides, as for every program of a terminal."""
    names = ("MILLRACE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    chosen = next((environment[name] for name in names if environment.get(name)), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def say(name: str, **values: object) -> str:
    zh, en = TEXTS[name]
    return (zh if language() == "zh" else en).format(**values)
