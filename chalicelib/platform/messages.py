"""What people read of an error, in Chinese and English: one row a code. A `{name}` is one of its params."""

from collections.abc import Mapping
from typing import Any, Literal

Language = Literal["zh", "en"]

_TEXTS: dict[str, tuple[str, str]] = {
    # a field of a body, of a query
    "required": ("必须填写", "is required"),
    "unknown_field": ("没有这个字段", "there is no such field"),
    "null": ("不能为空；不需要时请不要填写", "can't be null; leave it out instead"),
    "type": ("应为{type}", "must be {type}"),
    "enum": ("只能是以下之一：{allowed}", "must be one of: {allowed}"),
    "minimum": ("不能小于 {minimum}", "must be at least {minimum}"),
    "maximum": ("不能大于 {maximum}", "must be at most {maximum}"),
    "more_than": ("必须大于 {limit}", "must be more than {limit}"),
    "less_than": ("必须小于 {limit}", "must be less than {limit}"),
    "min_length": ("至少 {min_length} 个字符", "must have at least {min_length} characters"),
    "max_length": ("最多 {max_length} 个字符", "may have at most {max_length} characters"),
    "length": ("应为 {minimum} 到 {maximum} 个字符", "must have {minimum} to {maximum} characters"),
    "max_bytes": ("最多 {max_bytes} 字节", "may have at most {max_bytes} bytes"),
    "min_items": ("至少 {min_items} 项", "must have at least {min_items} items"),
    "max_items": ("最多 {max_items} 项", "may have at most {max_items} items"),
    "pattern": ("格式不正确", "does not have the right form"),
    "format": ("格式不正确", "does not have the right form"),
    "date_time": (
        "应为带时区的 ISO 8601 时间，例如 2026-11-22T10:00:00+08:00",
        "must be an ISO 8601 time with its offset, e.g. 2026-11-22T10:00:00+08:00",
    ),
    "date": ("应为日期，例如 2026-11-22", "must be a day, e.g. 2026-11-22"),
    "duration": (
        "应为 {minimum} 到 {maximum} 之间的 ISO 8601 时长",
        "must be an ISO 8601 duration from {minimum} to {maximum}",
    ),
    "timezone": ("没有这个时区；例如 Asia/Shanghai", "must be a time zone, e.g. Asia/Shanghai"),
    "cursor": ("不是我们给出的游标", "is not a cursor that was given out"),
    "invalid": ("不正确", "is not valid"),
    # what fields mean together
    "unchangeable": ("不能修改", "can't be changed"),
    "duplicate": ("与前面的重复", "is in the list already"),
    "same_as": ("不能与 {other} 相同", "must differ from {other}"),
    "not_after": ("必须晚于 {other}", "must be after {other}"),
    "after": ("不能晚于 {other}", "must not be after {other}"),
    "range_days": ("最多 {days} 天", "may cover at most {days} days"),
    "only_with": ("只能与 {other} 一起使用", "goes only with {other}"),
    "needs": ("还需要 {other}", "needs {other} as well"),
    "one_of_fields": ("请填写以下之一：{fields}", "give one of: {fields}"),
    "too_many_columns": ("这一行的列数比表头多", "the line has more columns than the first line"),
    "not_found": ("不存在", "does not exist"),
    # jobs
    "no_such_job": ("没有任务 {job_id}", "there is no job {job_id}"),
    "job_not_resumable": (
        "任务状态为 {status}，没有可以继续的部分",
        "the job is {status}, and nothing of it can be resumed",
    ),
    "past": ("必须晚于现在", "must be in the future"),
    "not_utf8": ("不是 UTF-8 编码的文字", "is not UTF-8 text"),
    # coupon pools
    "coupon_code": (
        "券码为 1 到 64 个字母、数字或符号，不能有空格",
        "a code is 1 to 64 letters, digits or signs, without spaces",
    ),
    "coupon_pool_full": ("一个券池最多 {maximum} 个券码", "a pool takes at most {maximum} codes"),
    "no_such_coupon_pool": ("没有券池 {pool_id}", "there is no coupon pool {pool_id}"),
    # print runs
    "too_many_cards": (
        "{format} 最多 {maximum} 张；csv 最多 {csv} 张",
        "at most {maximum} cards for {format}; csv takes {csv}",
    ),
    "card_beyond_page": (
        "加上出血和裁切线后超出纸张",
        "does not fit the page with its bleed and cut marks",
    ),
    "gutter_too_narrow": (
        "小于出血的两倍，相邻卡片会相互覆盖",
        "is less than twice the bleed: neighbours would run into each other",
    ),
    "card_code_too_small": (
        "二维码会小于 {minimum_mm} 毫米",
        "the code would be under {minimum_mm} mm",
    ),
    "max_lines": ("最多 {max_lines} 行", "may have at most {max_lines} lines"),
    "unprintable": ("含有无法印刷的字符", "has a character that can't be printed"),
    "no_glyph": ("字体没有这些字符：{characters}", "the font has no {characters}"),
    "native_reserves_nobody": (
        "企业微信自己的活码不预留接待人，谁扫都接待",
        "a native code reserves nobody: WeCom's own code serves whoever scans it",
    ),
    "no_such_print_run": ("没有印刷批次 {print_run_id}", "there is no print run {print_run_id}"),
    "no_such_card": ("没有这张卡", "there is no such card"),
    "print_run_closed": ("这个印刷批次已关闭", "the run is closed"),
    "prefix_taken": (
        "前缀 {prefix} 已被其他印刷批次使用：{print_run_id}",
        "another run has the prefix {prefix}: {print_run_id}",
    ),
    "card_bound": ("{card} 已绑定其他订单", "{card} is bound to another order"),
    "archived_prints_nothing": (
        "活码已归档，不能再印",
        "the live code is archived: nothing is printed of it",
    ),
    # posters
    "picture_host": ("只能是以下网站的 https 地址：{hosts}", "must be an https address at {hosts}"),
    "whole_number": (
        "应为 {minimum} 到 {maximum} 之间的整数",
        "must be a whole number from {minimum} to {maximum}",
    ),
    "web_address": (
        "应为 http(s) 地址，最多 {max_length} 个 ASCII 字符",
        "must be an http(s) address of at most {max_length} ASCII characters",
    ),
    "template_id": (
        "应为模板编号，或以下之一：{built_in}",
        "must be a template's id or one of {built_in}",
    ),
    "picture_base64": (
        "应为 base64 编码的图片，最多 {max_bytes} 字节",
        "must be a picture in base64 of at most {max_bytes} bytes",
    ),
    "not_a_picture": ("不是完好的 PNG 或 JPEG 图片", "is not a sound PNG or JPEG picture"),
    "picture_too_large": (
        "{size} 像素过大，最多 {maximum} 百万像素",
        "{size} pixels are too many: {maximum} million at most",
    ),
    "no_such_picture": (
        "没有图片 {asset_id}，请先上传",
        "there is no picture {asset_id}: POST /api/poster-assets first",
    ),
    "no_code_in_picture": ("图片中找不到二维码", "no QR code is found in it"),
    "width_for_code": (
        "对这个二维码来说太小，至少 {minimum}",
        "too small for this code's QR: at least {minimum}",
    ),
    "qr_layers": ("需要 1 到 {maximum} 个 qr 图层", "1 to {maximum} layers of type qr are needed"),
    "qr_always": (
        "至少要有一个 qr 图层始终显示（shown: always）",
        "one qr must be on every poster: shown always",
    ),
    "qr_off_page": ("二维码必须完全在页面内", "the code must be wholly on the page"),
    "off_page": ("在页面之外", "lies outside the page"),
    "page_side_mm": ("每边应为 {minimum} 到 {maximum} 毫米", "each side has {minimum} to {maximum} mm"),
    "page_too_large": (
        "超过含出血的 A3；更大的请将 PDF 放大印刷",
        "larger than A3 with its bleed: print it from there on by scaling the PDF",
    ),
    "page_pixels": ("页面超过 {maximum} 像素", "the page has more than {maximum} pixels"),
    "only_for_mm": ("只用于以 mm 为单位的模板", "only for a template in mm"),
    "no_such_placeholder": (
        "没有占位符 {{{name}}}；可用的有：{known}",
        "there is no placeholder {{{name}}}; there are {known}",
    ),
    "holds_no_line": ("按最小字号也放不下一行", "holds no line of the smallest size"),
    "holds_too_little": (
        "按最小字号放不下 {characters} 个字",
        "does not hold {characters} characters of the smallest size",
    ),
    "code_inverted": (
        "明暗颠倒：二维码的模块必须比底色深",
        "inverted: the modules must be darker than their ground",
    ),
    "code_contrast": (
        "对比度过低：{ratio} : 1，至少 {minimum} : 1",
        "contrast too low: {ratio} : 1, at least {minimum} : 1",
    ),
    "module_too_small_mm": (
        "链接为 {length} 字节时每个模块印出来只有 {module_mm} 毫米，至少 {minimum_mm} 毫米："
        "请将二维码放大到 {least_mm} 毫米以上",
        "module too small: {module_mm} mm printed for a link of {length} bytes, at least {minimum_mm} mm: "
        "make the code {least_mm} mm or more",
    ),
    "module_too_small_px": (
        "链接为 {length} 字节时每个模块缩小到 25 % 只有 {module_px} 像素，至少 {minimum_px} 像素："
        "请将二维码放大到 {least_px} 像素以上",
        "module too small: {module_px} px at 25 % for a link of {length} bytes, at least {minimum_px} px: "
        "make the code {least_px} px or more",
    ),
    "quiet_zone_edge": (
        "静区太窄：离页边只有 {modules} 个模块，需要 {wanted} 个",
        "quiet zone too narrow: {modules} modules to the page's edge of {wanted}",
    ),
    "quiet_zone_ink": (
        "静区太窄：只有 {modules} 个模块，需要 {wanted} 个；被 {layers} 覆盖",
        "quiet zone too narrow: {modules} modules of {wanted}; ink over it, of {layers}",
    ),
    "quiet_zone_dark": (
        "静区太窄：只有 {modules} 个模块，需要 {wanted} 个；二维码周围太暗",
        "quiet zone too narrow: {modules} modules of {wanted}; what lies around the code is too dark",
    ),
    "logo_too_large": (
        "标志盖住了二维码的 {percent} %，最多 {maximum} %：请缩小",
        "the logo covers {percent} % of the code, at most {maximum} % can be borne at level H: "
        "make it smaller",
    ),
    "codes_unread": (
        "这个模板上的二维码无法识读：{ways}",
        "codes on this template are not read {ways}",
    ),
    "poster_unread": (
        "做好的海报上的二维码无法识读：{ways}",
        "the finished poster could not be read {ways}",
    ),
    "no_such_poster_template": ("没有海报模板 {template_id}", "there is no poster template {template_id}"),
    "poster_template_built_in": (
        "内置模板不能修改，请复制一份",
        "a built-in template stays as it is: make a copy",
    ),
    "poster_template_changed": (
        "模板刚刚被别人修改，请重新读取",
        "the template was changed meanwhile: read it again",
    ),
    "no_such_member": ("没有成员 {staff_id}", "there is no member of staff {staff_id}"),
    "not_in_live_code": ("不在这个活码中", "is not in this live code"),
    "no_staff_in_code": ("这个活码中没有成员", "there is nobody in this live code"),
    "native_has_one_poster": (
        "是企业微信自己的活码，只有一张海报，请单独获取",
        "is a native code: it has one poster, asked for by itself",
    ),
    "only_for_nearest_store": (
        "只用于类型为 nearest_store 的活码",
        "only for a live code of kind nearest_store",
    ),
    "no_store": ("没有门店", "there is no store"),
    "too_many_stores": (
        "超过 {maximum} 家门店，请指定部分门店",
        "more than {maximum} stores: name some of them",
    ),
    # live codes
    "not_a_tag": (
        "标签应为“标签组/标签名”，各 1 到 {maximum} 个字符",
        "a tag is group/name, each of 1 to {maximum} characters",
    ),
    "only_for_kind": ("只用于类型为 {kind} 的活码", "only for codes of kind {kind}"),
    "needed_for_kind": ("类型为 {kind} 的活码必须填写", "codes of kind {kind} need it"),
    "kind_is_dynamic": (
        "企业微信自带的码无法在每次扫码时分配，类型为 {kind} 的活码只能用 dynamic",
        "WeCom's own code can't decide at each scan: a {kind} code is dynamic",
    ),
    "native_keeps_kind": (
        "使用企业微信自带码的活码不能更改类型，请先改为 dynamic",
        "WeCom's own code keeps its kind: make the code dynamic first",
    ),
    "no_member": ("至少需要一名成员或一名后备成员", "needs at least one member, or fallback staff"),
    "hours_empty": (
        "结束时间与开始时间相同；全天请填 00:00 到 24:00",
        "is the same as from; the whole day is 00:00 to 24:00",
    ),
    "hours_from_midnight": ("一天到 24:00 结束，从 00:00 开始", "a day ends at 24:00; it begins at 00:00"),
    "welcome_empty": ("欢迎语需要文字或附件", "a welcome has a text or an attachment"),
    "gift_without_text": (
        "有礼品时，欢迎语中须有 {placeholder}",
        "a gift needs {placeholder} in the welcome",
    ),
    "text_without_gift": (
        "欢迎语中有 {placeholder}，须指定券池",
        "{placeholder} in the welcome needs a pool to take it from",
    ),
    "attachment": (
        "应为企业微信的附件，例如 {example}",
        "must be an attachment as WeCom takes it, e.g. {example}",
    ),
    "outside_of_scope": ("不在您的管理范围内", "is outside of your scope"),
    "group_needs_staff": (
        "没有成员时，所有客户群都满后扫码的人会看到活码已关闭",
        "without staff a scan finds the code closed while no group has room",
    ),
    "caps_need_fallback": (
        "没有后备成员，所有成员名额用完后扫码的人将无人接待",
        "without fallback staff a scan gets nobody once every member's cap is used up",
    ),
    "hours_need_fallback": (
        "没有后备成员，非工作时间扫码的人会分给还未上班的成员",
        "without fallback staff a scan out of hours gets a member who is not there yet",
    ),
    "no_such_live_code": ("没有这个活码", "there is no such live code"),
    "live_code_exists": ("已有活码 {live_code_id}", "there is a live code {live_code_id} already"),
    "live_code_archived": ("活码已归档，不能修改", "an archived live code can't be changed"),
    "live_code_changed": (
        "活码刚刚被别人修改，请重新读取",
        "the live code was changed meanwhile: read it again",
    ),
    # live codes as a file
    "yaml_line": ("第 {line} 行不符合 YAML 语法", "line {line} is not YAML"),
    "yaml_repeated_key": ("第 {line} 行：{key} 写了两次", "line {line}: {key} stands here twice"),
    "yaml_unreadable": ("不是可读取的 YAML", "is not YAML that can be read"),
    "yaml_without_codes": ("文件应以 `codes:` 列表开头", "a file begins with `codes:`, a list"),
    "yaml_too_much": ("第 {line} 行：内容过多或嵌套过深", "line {line}: too much, or too deep"),
    "yaml_alias": ("第 {line} 行：不支持别名", "line {line}: aliases are not taken"),
    "yaml_tag": ("第 {line} 行：不支持标签", "line {line}: tags are not taken"),
    "yaml_too_many_changes": (
        "共 {count} 处改动，一次最多 {maximum} 处，请分批应用",
        "{count} changes: at most {maximum} at once, so apply it in parts",
    ),
    "too_many_for_a_file": (
        "一个文件放不下，请用 ?ids= 指定部分活码",
        "too many for one file: name some by ?ids=",
    ),
    "code_unnamed": (
        "活码须有 live_code_id；新活码须有您自定的 ref",
        "a code has its live_code_id or, a new one, a ref of your own",
    ),
    "new_code_by_ref": (
        "没有这个活码；新活码请改用 ref",
        "there is no such live code; a new one has a ref instead",
    ),
    "archived": ("已归档", "is archived"),
    "ref_taken": ("属于另一个活码", "is another code's"),
    "file_half_applied": (
        "{live_code_id} 刚刚被别人修改；{total} 处改动已完成 {done} 处，请再次应用此文件",
        "{live_code_id} was changed meanwhile; {done} of {total} changes are made: apply the file again",
    ),
    # scans and assignments
    "no_such_assignment": ("没有这次分配", "there is no such assignment"),
    "where": (
        "请提供位置（纬度和经度）或门店编号",
        "give a position (latitude and longitude), or a store_id",
    ),
    "not_a_store_of_code": ("不是这个活码的门店", "is not a store of this code"),
    # group codes
    "not_a_group_code": ("不是群活码", "is not a group code"),
    "no_such_task": ("没有这个任务", "there is no such task"),
    "task_code_archived": ("这个任务的活码已归档", "the live code of this task is archived"),
    "which_group": ("请填写新建的是哪个群", "say which group it is"),
    "group_in_line": ("已在这个活码的群列表中", "is in the code's line already"),
    # contact ways
    "contact_ways_used_up": (
        "企业的 {limit} 个联系方式已用完，请归档不再使用的活码",
        "all {limit} contact ways of the corp are used up: archive live codes that are no longer used",
    ),
    "way_being_made": (
        "联系方式正在生成，请稍后再试",
        "the contact way is being made: try again in a moment",
    ),
    "too_many_ways_made": (
        "正在生成的联系方式过多，请稍后再试",
        "too many contact ways are being made to look for this one: try again in a moment",
    ),
    "nobody_to_list": (
        "这个活码中无人可接待客户，企业微信无法生成空码",
        "nobody in this code can get customers, and WeCom makes no code of nobody",
    ),
    "way_removed": (
        "活码的联系方式刚刚被删除，请重试",
        "the code's contact way was removed at this moment: try again",
    ),
    "no_active_live_code": ("活码不存在或已归档", "there is no such live code, or it is archived"),
    "guides_outside_scope": (
        "只能选择您管理范围内的员工（不可用：{staff_ids}）",
        "must be guides of your scope (not: {staff_ids})",
    ),
    # ad campaigns
    "ad_credentials": (
        "请填写密钥组 ads 中的名称，其中需有：{fields}",
        "must name what the secret `ads` has with: {fields}",
    ),
    "ad_event_baidu": ("应为转化类型的数字（newType）", "must be a conversion type's number (newType)"),
    "ad_event_oceanengine": (
        "应为 event_type，例如 form 或 active_pay",
        "must be an event_type, e.g. form or active_pay",
    ),
    "ad_event_tencent": (
        "应为 action_type，例如 SCANCODE 或 PURCHASE",
        "must be an action_type, e.g. SCANCODE or PURCHASE",
    ),
    "ad_event_generic": ("最多 64 个字符，不含空格", "must have at most 64 characters and no space"),
    "https_url": ("应为 https 网址", "must be an https URL"),
    "url_with_user": ("网址中不能有用户名", "must be without a user name"),
    "url_port": ("只能使用 443 端口", "must be on port 443"),
    "url_address": ("应为域名，而不是 IP 地址", "must be a name, not an address"),
    "url_not_public": ("应为公网域名", "must be a public name"),
    "no_ad_page": ("没有这个页面", "there is no such page"),
    "no_ad_campaign": ("没有这个投放：{ad_campaign_id}", "there is no ad campaign {ad_campaign_id}"),
    "ad_campaign_archived": ("投放已归档，不能再修改", "an archived ad campaign can't be changed"),
    "no_ad_conversion": ("没有这个转化：{conversion_id}", "there is no ad conversion {conversion_id}"),
    "ad_conversion_not_retriable": (
        "状态为 {status} 的转化不能重新上报",
        "a conversion that is {status} can't be reported again",
    ),
    "ad_conversion_not_in_doubt": (
        "状态为 {status} 的转化无需确认",
        "a conversion that is {status} is not in doubt",
    ),
    # prospects
    "country": ("不是 ISO 3166 国家代码", "is no country's ISO 3166 code"),
    "phone_too_long": ("太长，不是手机号", "is too long for a phone number"),
    "phone_empty": ("手机号为空", "is empty"),
    "phone_not_one": ("不是一个手机号", "is not one phone number"),
    "phone_invalid": ("不是电话号码", "is not a phone number"),
    "phone_unknown": ("没有这样的号码", "is not a number that exists"),
    "phone_not_mobile": ("不是手机号码", "is not a mobile number"),
    "phone_lost_digits": (
        "号码在表格中丢失了数字（1.38E+10）：请把这一列设为文本格式",
        "lost digits in a spreadsheet (1.38E+10): format the column as text",
    ),
    "row_not_text": ("文字编码无法识别", "is not text of the file's encoding"),
    "row_not_csv": ("不是有效的 CSV", "is not CSV"),
    "row_too_long": ("这一行超过 64 KB", "is longer than 64 KB"),
    "row_quote_open": ("引号没有结束", "a quotation mark is never closed"),
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
    "table_no_header": ("文件第一行没有列名", "the file has no first line with the names of its columns"),
    "table_no_such_column": (
        "文件第一行没有为 {field} 指定的列",
        "the file's first line has no column as named for {field}",
    ),
    "table_two_columns": (
        "文件第一行有两列都是 {field}：请在 columns 中指定",
        "the file's first line has two columns for {field}: say which in `columns`",
    ),
    "table_no_phone_column": (
        "文件第一行没有手机号列：请在 columns 中指定",
        "the file's first line has no column for phone numbers (手机号): say which in `columns`",
    ),
    "table_utf16": ("文件是 UTF-16：请另存为 CSV UTF-8", "the file is UTF-16: save it as CSV UTF-8"),
    "table_not_text": ("文件不是文本：是不是 XLSX？", "the file is not a text: is it an XLSX?"),
    "table_not_xlsx": ("文件不是 XLSX 工作簿", "the file is not an XLSX workbook"),
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
    "no_customer": ("没有这个客户：{external_userid}", "there is no customer {external_userid}"),
    # customers, SOPs, welcomes
    "no_sop": ("没有这个 SOP：{sop_id}", "there is no SOP {sop_id}"),
    "sop_stopped": ("SOP 已终止：{sop_id}", "the SOP {sop_id} has been stopped"),
    "sop_outside": (
        "这个 SOP 面向的门店或部门超出您的范围，不能修改",
        "this SOP is for more than your stores and departments: you can't change it",
    ),
    "later": ("这个版本还不支持", "comes later; this version can't run it"),
    "steps_in_order": ("步骤要按时间先后排列", "must not be before the step above it"),
    "welcome_first": (
        "欢迎语只能是“添加好友”触发后的第一步",
        "a welcome is the first step after customer_added",
    ),
    "welcome_at_once": ("欢迎语会立即发送：PT0S，不能填写 at", "a welcome goes out at once: PT0S, no `at`"),
    "welcome_to_all": ("欢迎语发给所有人，不能带条件", "a welcome goes to everybody, without conditions"),
    "welcome_tags": (
        "欢迎语不打标签；请在活码里设置标签",
        "a welcome tags nobody; the live code's `tags` do",
    ),
    "max_attachments": ("文字以外最多 {max_items} 项", "may have {max_items} besides the text"),
    "one_text": ("最多一段文字", "may hold one text at most"),
    "attachment_kind": (
        "msgtype 只能是以下之一，并带上同名的内容：{kinds}",
        "msgtype must be one of {kinds}, with its object",
    ),
    # WeCom
    "not_from_wecom": ("不是企业微信发给本企业的消息", "not a message from WeCom to this corp"),
    "no_callback": ("不是企业微信的回调", "not a WeCom callback"),
    "wecom_refused": ("企业微信拒绝了 {path}，错误码 {errcode}", "{path}: errcode {errcode}"),
    "wecom_answer_lost": (
        "企业微信没有应答 {path}，可能已经执行",
        "{path}: no answer; it may have been carried out",
    ),
    "wecom_silent": ("企业微信没有应答：{path}", "{path}: WeCom does not answer in time"),
    "no_wecom_picture": ("没有从企业微信取到二维码图片", "WeCom did not give the picture"),
    "no_migration": ("没有这个迁移任务：{name}", "there is no migration {name}"),
    # whole answers
    "no_path": ("没有这个地址", "there is no such path"),
    "no_thing": ("没有找到", "there is no such thing"),
    "methods": ("这个地址只接受 {allowed}", "this path takes {allowed}"),
    "needs_key": ("请提供 API 密钥：Authorization: Bearer KEY", "send an API key: Authorization: Bearer KEY"),
    "unknown_key": ("没有这个 API 密钥", "this API key is not known"),
    "role_may_not": ("角色 {role} 没有这个权限", "the role {role} may not do this"),
    "needs_csrf": (
        "使用会话修改时须带 X-CSRF-Token（见 GET /api/me）",
        "a write by session carries X-CSRF-Token, from GET /api/me",
    ),
    "busy": ("系统繁忙，请稍后再试", "the store is busy"),
    "answer_lost": ("系统没有应答，请稍后再试", "the store's answer was lost"),
    "too_many_items": (
        "一次最多写入 {limit} 项，现有 {count} 项",
        "a transaction takes {limit} items, this one has {count}",
    ),
    "idempotency_other_body": (
        "这个 Idempotency-Key 已用于另一个请求",
        "this Idempotency-Key was used with another body",
    ),
    "idempotency_unknown": (
        "使用这个 Idempotency-Key 的请求正在处理或被中断：请先查看是否已完成，未完成时换一个新的",
        "a call with this Idempotency-Key is at work, or was cut off: look whether it was done, "
        "and use a new key if it was not",
    ),
    "idempotency_too_large": (
        "使用这个 Idempotency-Key 的请求已完成，但结果过大未能保存",
        "the call with this Idempotency-Key was done; its answer is too large to be kept",
    ),
    "no_file": ("没有文件 {key}", "there is no file {key}"),
    "queue_refused": ("消息未能送达队列 {queue}，请稍后再试", "the queue {queue} did not take the message"),
    # dead letters
    "no_queue": ("没有队列 {queue}", "there is no queue {queue}"),
    "not_redrivable": (
        "{queue} 不是队列，处理办法见 docs/operate.md",
        "{queue} is no queue: see docs/operate.md for what to do instead",
    ),
    "redrive_failed": ("重新投递失败，请稍后再试", "the redrive function failed"),
    "needs_permission": ("需要权限 {permission}", "this takes the permission {permission}"),
    "malformed": ("请求内容不是有效的 JSON", "the body is not valid JSON"),
    "repeated_key": ("同一个字段写了两次：{key}", "a field is there twice: {key}"),
    "body_too_large": ("请求内容超过 {limit} 字节", "the body is over {limit} bytes"),
    "internal": ("系统出错，已记录，请稍后再试", "something went wrong here; it has been logged"),
}  # fmt: skip

_TITLES: dict[int, tuple[str, str]] = {
    400: ("请求格式错误", "Malformed request"),
    401: ("尚未登录", "Not signed in"),
    403: ("没有权限", "Not allowed"),
    404: ("没有找到", "Not found"),
    405: ("不支持这种请求方法", "Method not allowed"),
    409: ("与现有状态冲突", "Conflict"),
    413: ("内容过大", "Too large"),
    422: ("填写有误", "Invalid input"),
    429: ("次数或数量已用完", "Used up"),
    500: ("系统出错", "Internal error"),
    503: ("暂时无法使用", "Temporarily unavailable"),
}

_TYPES: dict[str, tuple[str, str]] = {
    "string": ("文字", "text"),
    "integer": ("整数", "a whole number"),
    "number": ("数字", "a number"),
    "boolean": ("是或否（true 或 false）", "true or false"),
    "array": ("列表", "a list"),
    "object": ("对象", "an object"),
    "null": ("空", "null"),
}

_WAYS: dict[str, tuple[str, str]] = {  # in which a poster's code is read
    "as_is": ("原样", "as it is"),
    "quarter": ("缩小到 25 %", "at 25 % of its size"),
    "turned": ("转 15 度", "turned by 15 degrees"),
    "noisy": ("JPEG 噪点", "with JPEG noise"),
}


def language(accept_language: str | None) -> Language:
    """The first of zh and en by q, else zh."""
    best: tuple[float, Language] = (0.0, "zh")
    for part in (accept_language or "").lower().split(","):
        tag, _, quality = part.strip().partition(";")
        name = tag.strip().partition("-")[0]
        try:
            q = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if name in ("zh", "en") and q > best[0]:
            best = (q, "en" if name == "en" else "zh")
    return best[1]


def known(code: str) -> bool:
    """Whether the table has words for it."""
    return code in _TEXTS


def text(code: str, language: Language, params: Mapping[str, Any]) -> str:
    """A code in a person's words."""
    at = int(language == "en")
    words = {name: _words(name, value, at) for name, value in params.items()}
    return _TEXTS[code][at].format_map(words)


def title(status: int, language: Language) -> str:
    """The title of an error of that status."""
    return _TITLES.get(status, _TITLES[500])[int(language == "en")]


def _words(name: str, value: Any, at: int) -> str:
    if name == "type":
        kinds = [_TYPES[kind][at] for kind in ([value] if isinstance(value, str) else value)]
        return ("或" if at == 0 else " or ").join(kinds)
    if name == "ways":
        value = [_WAYS[way][at] for way in value]
    if isinstance(value, (list, tuple)):
        return ("、" if at == 0 else ", ").join(str(part) for part in value)
    return str(value)
