"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "not_a_tag": (
        "标签应为“标签组/标签名”，各 1 到 {maximum} 个字符",
        "a tag is group/name, each of 1 to {maximum} characters",
    ),
    "only_for_kind": ("只用于就近门店活码", "only for codes of the nearest store"),
    "needed_for_kind": ("客户群活码至少需要一个客户群", "a group code needs at least one group"),
    "kind_is_dynamic": (
        "企业微信原生码无法按位置分配，就近门店活码请用智能分配码",
        "WeCom's own code can't decide at each scan: a nearest-store code is dynamic",
    ),
    "native_has_no_weights": (
        "企业微信原生码由企业微信分配客户，无法按比例；请改用其他分配方式，或改用智能分配码",
        "WeCom's own code is WeCom's to share out, and knows no weights: choose another strategy, or dynamic",
    ),
    "native_keeps_kind": (
        "使用企业微信原生码的活码不能更改类型，请先改为智能分配码",
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
    "live_code_of_others": (
        "这个活码还分流到您管理范围之外的成员、门店或客户群，不能修改",
        "this code leads to people, stores or groups outside of your scope as well: you can't change it",
    ),
    "outside_of_scope": ("不在您的管理范围内", "is outside of your scope"),
    "cap_is_zero": (
        "上限为 0，不会分到任何客户；不限请留空",
        "a cap of 0 gives nobody to this member; for no cap, leave it empty",
    ),
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
    "yaml_without_codes": ("文件应以 `codes:` 列表开头", "a file begins with `codes:`, a list"),
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
}
