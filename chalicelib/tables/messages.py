"""What people read of an error in a file, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "cell_rounded": (
        "Excel 已把它四舍五入（只保留 15 位数字）：请把这一列设为文本格式，重新填写",
        "was rounded by the spreadsheet, which keeps 15 digits: format the column as text and enter it again",
    ),
    "cell_formula": (
        "是公式，文件里没有它的计算结果：请在 Excel 中打开并保存，或粘贴为数值",
        "is a formula without its value: open and save the file in Excel, or paste it as values",
    ),
    "cell_error": ("是公式的错误值", "is an error of a formula"),
    "row_not_text": ("这一行有损坏的文字", "has damaged text"),
    "row_not_csv": ("不是有效的 CSV", "is not CSV"),
    "row_too_long": ("这一行超过 64 KB", "is longer than 64 KB"),
    "row_quote_open": ("引号没有结束", "a quotation mark is never closed"),
    "table_no_header": ("文件第一行没有列名", "the file has no first line with the names of its columns"),
    "table_header_damaged": (
        "列名所在的第一行已损坏，无法读取",
        "the first line, with the names of the columns, is damaged",
    ),
    "table_no_rows": ("文件里没有数据", "there are no rows in the file"),
    "table_no_such_column": (
        "文件第一行没有为 {field} 指定的列",
        "the file's first line has no column as named for {field}",
    ),
    "table_two_columns": (
        "文件第一行有两列都是 {field}",
        "the file's first line has two columns for {field}",
    ),
    "columns_missing": ("第一行缺少列：{columns}", "the first line lacks the columns {columns}"),
    "table_not_text": ("文件既不是文本，也不是 XLSX", "the file is neither a text nor an XLSX"),
    "table_not_xlsx": ("文件不是 XLSX 工作簿", "the file is not an XLSX workbook"),
    "table_old_workbook": (
        "文件是旧版 .xls，或设了密码：请另存为不带密码的 .xlsx",
        "the file is an .xls, or has a password: save it as an .xlsx without one",
    ),
    "table_no_sheet": ("文件没有工作表", "the file has no sheet"),
    "table_damaged": ("文件是损坏的 XLSX 工作簿", "the file is a damaged XLSX workbook"),
    "table_too_many_rows": ("文件的行数超过工作表的上限", "the file has more rows than a sheet can"),
    "table_too_large": (
        "文件解压后超过 {megabytes} MB：请另存为 CSV",
        "the file unpacks to more than {megabytes} MB: save it as CSV",
    ),
    "table_too_many_texts": (
        "文件的文字超过 {megabytes} MB：请另存为 CSV",
        "the file has more than {megabytes} MB of texts: save it as CSV",
    ),
    "table_too_many_styles": (
        "文件的样式等内容超过 {megabytes} MB：请另存为 CSV",
        "the file has more than {megabytes} MB of styles and the like: save it as CSV",
    ),
    "too_many_rows": ("超过 {max_rows} 行，请分批导入", "more than {max_rows} rows: import them in parts"),
}
