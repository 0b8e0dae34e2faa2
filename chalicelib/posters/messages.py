"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
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
    "no_glyph": (
        "字体里没有{characters}，请换一个写法",
        "the fonts have no {characters}: write it another way",
    ),
    "nothing_to_print": (
        "“{text}”里没有可以印出的字（表情不印）",
        "nothing of “{text}” can be printed: emoji are not",
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
    "poster_template_of_others": (
        "这个模板是全公司共用的，或属于您管理范围之外的门店，不能修改；可以复制一份",
        "this template is the whole corp's, or of stores outside of your scope: make a copy and change that",
    ),
    "poster_template_built_in": (
        "内置模板不能修改，请复制一份",
        "a built-in template stays as it is: make a copy",
    ),
    "no_name_to_print": (
        "还没有从企业微信取得成员 {staff_id} 的姓名，不会把账号印在海报上：请核对账号，稍后再试",
        "WeCom has told no name of {staff_id} yet, and an id is not printed: check it, try again in a moment",
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
}
