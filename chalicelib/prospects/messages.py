"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "country": ("不是 ISO 3166 国家代码", "is no country's ISO 3166 code"),
    "phone_too_long": ("太长，不是手机号", "is too long for a phone number"),
    "phone_empty": ("手机号为空", "is empty"),
    "phone_not_one": ("不是一个手机号", "is not one phone number"),
    "phone_several": ("有多个手机号：每行填一个", "has several phone numbers: one a row"),
    "phone_invalid": ("不是电话号码", "is not a phone number"),
    "phone_unknown": ("没有这样的号码", "is not a number that exists"),
    "phone_not_mobile": ("不是手机号码", "is not a mobile number"),
    "phone_lost_digits": (
        "Excel 已把号码四舍五入，丢失了数字（1.38E+10）：请把这一列设为文本格式，重新填写",
        "lost digits in a spreadsheet (1.38E+10): format the column as text",
    ),
    "row_in_line": ("与第 {line} 行重复", "is in line {line} already"),
    "row_of_another_import": ("已在其他导入中", "came with another import already"),
    "row_do_not_contact": ("本人要求不再联系", "asked not to be contacted"),
    "row_no_guide": ("没有对应的导购", "leads to no guide"),
    "row_no_userid": ("不是企业微信的员工账号", "is no userid of WeCom's"),
    "row_too_many_guides": (
        "导购过多：一次导入最多 {limit} 名",
        "is one guide too many: an import may have {limit}",
    ),
    "row_guide_outside_scope": ("该导购不在您的管理范围内", "is a guide outside of your scope"),
    "table_no_phone_column": (
        "文件第一行没有手机号列：请在 columns 中指定",
        "the file's first line has no column for phone numbers (手机号): say which in `columns`",
    ),
    "table_all_bad": (
        "{rows} 行没有一行能导入：原因见报告",
        "none of the {rows} rows can be imported: the report says why",
    ),
    "table_too_slow": ("读取文件的时间过长：请另存为 CSV", "the file takes too long to read: save it as CSV"),
    "file_gone": ("文件已不存在", "the file is gone"),
    "file_too_large": (
        "文件超过 {megabytes} MB：请分批导入",
        "is over {megabytes} MB: import it in parts",
    ),
    "no_import": ("没有这个导入", "there is no such import"),
    "import_without_file": ("这个导入没有文件", "this import has no file"),
    "import_not_uploaded": (
        "文件还没有上传：请先上传到 upload_url",
        "the file is not there yet: PUT it to the upload_url first",
    ),
    "no_prospect": ("没有这个潜在客户", "there is no such prospect"),
    "prospect_status": (
        "状态为 {before} 的潜在客户不能改为 {after}",
        "a prospect that is {before} can't become {after}",
    ),
    "prospect_is_another": ("这个潜在客户已是另一位客户", "this prospect is another customer already"),
    "prospect_code_of_several": (
        "有多个潜在客户是这个编码：请使用 prospect_id",
        "several prospects have this code: give the prospect_id",
    ),
    "no_guide_with_prospects": ("这位导购没有潜在客户", "this guide has no prospects"),
}
