"""What each queue, function and alarm is, and what to do about it, in Chinese and English.

`queue_<name>`, `queue_cure_<name>`: of dead letters too (platform/deadletters.py). `alarm_<code>`: rules.py.
"""

_AGAIN = (
    "先查看该任务的日志、排除原因，再重新处理",
    "see the function's log, mend the cause, then send them again",
)
_QUEUES: dict[str, tuple[str, str]] = {
    "alarm": ("告警提醒", "alarms told to people"),
    "api": ("管理后台与开放接口", "the console and the API"),
    "project": ("每日数据统计", "the day's counters"),
    "public": ("扫码页与各类回调入口", "scans, pages and callbacks"),
    "redrive": ("失败消息的重新处理", "dead letters sent again"),
    "route": ("客户动态的分发", "the timeline handed to its listeners"),
    "tick": ("定时任务", "what falls due each minute"),
    "access": ("离职成员的权限回收", "access of staff who leave"),
    "assign": ("扫码名额与联系我二维码", "places of scans, contact codes"),
    "callback": ("企业微信回调事件", "events from WeCom"),
    "convert": ("广告转化回传", "conversions told to ad platforms"),
    "credit": ("广告转化归因", "conversions credited to ads"),
    "churn": ("客户流失记录与提醒", "losses of customers noted and told"),
    "facts": ("客户画像更新", "customers' facts"),
    "lake": ("客群统计", "segments counted"),
    "lakewrite": ("客户画像写入统计文件", "facts written to the lake"),
    "imports": ("首次导入与核对", "the first import and the repair"),
    "export": ("列表导出", "exports of lists"),
    "enrol": ("SOP 进出判断", "who begins and ends an SOP"),
    "match": ("到店客户与名单匹配", "arrivals matched to phone lists"),
    "migrate": ("升级后的数据迁移", "migration after an upgrade"),
    "notify": ("发给员工的应用消息", "app messages to staff"),
    "orders": ("商城订单", "orders of malls"),
    "payout": ("分销打款", "payouts"),
    "poster": ("海报批量生成", "posters of a batch"),
    "printrun": ("印刷文件生成", "files of print runs"),
    "prospect": ("手机号名单导入与派单", "phone lists"),
    "push": ("企业群发与打标签", "mass sends and tags"),
    "settle": ("佣金结算", "settlements"),
    "settle_schedule": ("每日佣金结算的启动", "the start of the daily settlement"),
    "tick_schedule": ("每分钟定时任务的启动", "the start of each minute's work"),
    "route_stream": ("客户动态的分发", "the timeline handed to its listeners"),
    "project_stream": ("每日数据统计", "the day's counters"),
    "welcome": ("新客欢迎语", "welcomes"),
}
_CURES: dict[str, tuple[str, str]] = {  # where sending again is not all there is to it
    "welcome": (
        "欢迎语 20 秒内有效，重新处理也发不出去；系统已请导购主动打招呼。请排除原因，避免继续漏发",
        "a welcome is good for 20 s: sent again it reaches nobody; the guide was asked to greet",
    ),
    "callback": (
        "排除原因后重新处理；「无法识别的消息」要先升级版本，否则还会回到这里",
        "mend the cause and send them again; those that cannot be read need a newer version first",
    ),
    "payout": (
        "先到「资金 › 打款」确认这几笔的状态，再重新处理：同一单号不会重复付款",
        "look at these payouts first, then send again: one number is never paid twice",
    ),
    "tick_schedule": (
        "不用处理：下一分钟会补做",
        "nothing to do: the next minute does what this one should have",
    ),
    "settle_schedule": (
        "不用处理：下一次结算会补做，也可到「资金 › 结算」手动发起",
        "nothing to do: the next run does it, or start a settlement by hand",
    ),
    "route_stream": (
        "无法重新处理：这些动态仍在时间线里，但没有通知到后续任务，请联系技术人员",
        "they can't be sent again: the lines are in the timeline, but listeners missed them. Ask an engineer",
    ),
    "project_stream": (
        "无法重新处理：当天数据会少计，请联系技术人员重算",
        "they can't be sent again: the day's figures lack them. Ask an engineer",
    ),
}
_ALARMS: dict[str, tuple[str, str, str, str]] = {  # what has happened (zh, en), what to do (zh, en)
    "given_up": (
        "「{queue}」有消息多次处理失败，已搁置",
        "{queue}: messages were given up after several attempts",
        "{cure}",
        "{cure}",
    ),
    "function_fails": (
        "「{queue}」运行出错",
        "{queue}: the function fails",
        "多数会自动重试恢复；持续出现时请查看 {function} 的日志",
        "mostly it recovers by itself; if it goes on, see the log of {function}",
    ),
    "behind": (
        "「{queue}」处理落后超过一分钟",
        "{queue}: over a minute behind",
        "一般是瞬时高峰，会自动追上；超过十分钟请查看 {function} 的日志",
        "mostly a peak that passes; after ten minutes see the log of {function}",
    ),
    "waits": (
        "「{queue}」排队过久，新客可能收不到欢迎语",
        "{queue}: messages wait too long, new customers may get no welcome",
        "提高 WelcomeReservedConcurrency，或暂停大规模投放",
        "raise WelcomeReservedConcurrency, or slow the campaign down",
    ),
    "due_lag_seconds": (
        "定时任务落后，到点的触达会晚发",
        "scheduled work is late, and so is what falls due",
        "查看 tick 的日志；恢复后会按顺序补发",
        "see the log of tick; it catches up in order",
    ),
    "due_unknown_kinds": (
        "有新版本才认识的任务在等待",
        "work waits that only a newer version knows",
        "重新部署新版本，一分钟内会自动继续",
        "deploy the newer version: it goes on within a minute",
    ),
    "payouts_blocked": (
        "微信支付拒绝打款",
        "WeChat Pay refuses transfers",
        "到「资金 › 打款」查看原因：余额不足请充值，其他按提示处理；恢复后用原单号自动重发",
        "see why under Payouts: top up, or mend what is named; the same number is then sent again",
    ),
    "AdPageSwitched": (
        "广告落地页已切到备用活码",
        "ad landing pages lead to their fallback",
        "获客链接额度用完或链接失效：到「获客 › 广告」查看并补充额度",
        "the acquisition quota is used up, or a link is gone: see Ads",
    ),
    "other": (
        "{name}",
        "{name}",
        "请查看云平台上的告警详情",
        "see the alarm's details on the cloud's console",
    ),
}  # fmt: skip

TEXTS: dict[str, tuple[str, str]] = {f"queue_{name}": words for name, words in _QUEUES.items()}
TEXTS |= {f"queue_cure_{name}": _CURES.get(name, _AGAIN) for name in _QUEUES}
TEXTS |= {
    "queue_other": ("后台任务 {queue}", "work of {queue}"),
    "queue_cure_other": _AGAIN,
}
TEXTS |= {f"alarm_{code}": (zh, en) for code, (zh, en, _, _) in _ALARMS.items()}
TEXTS |= {f"alarm_cure_{code}": (zh, en) for code, (_, _, zh, en) in _ALARMS.items()}
KNOWN = frozenset(_ALARMS)
