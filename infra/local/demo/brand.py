"""The brand that the demo plays: 植里, skin care, twelve stores in five cities."""

# store_id, name, city, address, latitude and longitude (GCJ-02, as Chinese maps show them), its guides
STORES = [
    ("sh-jingan", "上海静安店", "上海", "静安区南京西路 1515 号", 31.2244, 121.4455, "lihua chenjie"),
    ("sh-xuhui", "上海徐家汇店", "上海", "徐汇区虹桥路 1 号", 31.1945, 121.4370, "tangwei"),
    ("sh-pudong", "上海陆家嘴店", "上海", "浦东新区陆家嘴西路 168 号", 31.2367, 121.4990, "guoying"),
    ("hz-hubin", "杭州湖滨店", "杭州", "上城区延安路 258 号", 30.2550, 120.1640, "wuyue zhaomin"),
    ("hz-binjiang", "杭州滨江店", "杭州", "滨江区江汉路 1515 号", 30.2090, 120.2120, "shenlan"),
    ("cd-taikoo", "成都太古里店", "成都", "锦江区中纱帽街 8 号", 30.6541, 104.0833, "sunli zhouting"),
    ("cd-gaoxin", "成都高新店", "成都", "高新区天府大道北段 1700 号", 30.5700, 104.0650, "luoxi"),
    ("bj-guomao", "北京国贸店", "北京", "朝阳区建国门外大街 1 号", 39.9087, 116.4605, "hanxue"),
    ("bj-sanlitun", "北京三里屯店", "北京", "朝阳区三里屯路 19 号", 39.9340, 116.4540, "fengyi"),
    ("bj-zgc", "北京中关村店", "北京", "海淀区中关村大街 19 号", 39.9790, 116.3160, "dongjia"),
    ("gz-tianhe", "广州天河店", "广州", "天河区天河路 208 号", 23.1322, 113.3270, "liangyun"),
    ("gz-beijinglu", "广州北京路店", "广州", "越秀区北京路 168 号", 23.1240, 113.2700, "huangqian"),
]
STAFF = {
    "lihua": "李华",
    "chenjie": "陈洁",
    "wuyue": "吴悦",
    "zhaomin": "赵敏",
    "sunli": "孙丽",
    "zhouting": "周婷",
}
MORE_STAFF = {  # of the stores; the last is new, and her account ages
    "tangwei": "唐薇",
    "guoying": "郭颖",
    "shenlan": "沈岚",
    "luoxi": "罗茜",
    "hanxue": "韩雪",
    "fengyi": "冯怡",
    "dongjia": "董佳",
    "liangyun": "梁韵",
    "huangqian": "黄倩",
    "xiaoyu": "许小雨",
}
NEWCOMER = "xiaoyu"
PEOPLE = "林晓 何静 苏苏 小鹿 王先生 茉莉 橙子 Kiki 叶子 安然 可可 南风 豆豆 一诺 子墨 雨桐 欣怡 思远".split()
MEMBERS = "张琳 刘芳 陈晨 杨慧 黄丽 周敏 吴倩 徐静 孙悦 马丽 朱颖 胡蓉 郭欣 林燕 何佳 高洁 罗岚".split()
GOODS = [
    ("MASK-01", "玻尿酸补水面膜", 4950),
    ("SERUM-02", "烟酰胺精华液 30ml", 16900),
    ("CREAM-03", "神经酰胺面霜", 12800),
]
WORKDAY = [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "09:00", "to": "22:00"}]
WELCOME = "您好 {customer_name}，我是{staff_name}，您的专属护肤顾问 🌿\n回复「肤质」领取一份护肤建议。"

CODE_FILE = """\
codes:
- ref: moments-winter
  name: 朋友圈·秋冬护肤
  channel: moments
  tags:
  - 渠道/朋友圈
  assignment:
    strategy: weighted
    members:
    - staff_id: xiaoyu
      weight: 3
    - staff_id: zhaomin
    fallback_staff_ids:
    - zhouting
  welcome:
    text: 您好 {customer_name}，我是{staff_name}。换季干痒、泛红，都可以问我～
    by_time:
    - weekdays: [1, 2, 3, 4, 5, 6, 7]
      from: 22:00
      to: 09:00
      text: 您好 {customer_name}，我是{staff_name}。现在是休息时间，明早 9 点后第一时间回复您 🌙
"""

POSTER = {
    "name": "门店开业 A5",
    "unit": "mm",
    "width": 148,
    "height": 210,
    "bleed_mm": 3,
    "title": "附近门店\n等您来坐坐",
    "subtitle": "扫码添加离您最近的护肤顾问，到店免费测肤一次",
    "background": {"colour": "#F7EEE4", "to": "#E7D3BF"},
    "layers": [
        {"type": "disc", "x": 148, "y": 0, "radius": 46, "fill": "#EBD9C6"},
        {"type": "text", "value": "植里 ZHILI", "x": 14, "y": 12, "width": 80, "height": 9, "size": 5.2,
         "colour": "#7A5A3C", "align": "left", "tracking": 0.12},
        {"type": "text", "value": "{title}", "x": 14, "y": 26, "width": 120, "height": 38, "size": 15,
         "min_size": 9, "max_lines": 2, "colour": "#3F2B1C", "face": "serif", "align": "left"},
        {"type": "text", "value": "{subtitle}", "x": 14, "y": 67, "width": 112, "height": 14, "size": 4.8,
         "min_size": 3.6, "max_lines": 2, "colour": "#6B5442", "align": "left"},
        {"type": "rect", "x": 34, "y": 90, "width": 80, "height": 98, "fill": "#FFFFFF", "radius": 5},
        {"type": "qr", "x": 40, "y": 95, "size": 68, "dark": "#3F2B1C", "logo": "?"},
        {"type": "text", "value": "{store_name}", "x": 38, "y": 165, "width": 72, "height": 9, "size": 5.6,
         "min_size": 3.6, "colour": "#3F2B1C", "shown": "store"},
        {"type": "text", "value": "长按或扫一扫", "x": 38, "y": 175, "width": 72, "height": 7, "size": 3.8,
         "colour": "#8A7462"},
    ],
}  # fmt: skip

AD_PAGE = {
    "title": "新客专享：19.9 元体验装三件套",
    "subtitle": "加顾问微信，按肤质搭配，包邮到家",
    "bullets": ["玻尿酸面膜 2 片、精华 5 ml、面霜 5 g", "先测肤质再发货，不合适免费换", "仅限新客，每人一份"],
    "button": "添加顾问，领取体验装",
    "legal": "广告主：植里（示例品牌）。活动名额有限，领完即止；您的信息仅用于本次服务。",
}
