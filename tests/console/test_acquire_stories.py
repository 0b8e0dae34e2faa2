"""What operators do with phone lists, stores, ads, coupons, SOPs and the welcome."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.console.browser import Seat

HOSTILE = '<img src=x onerror="document.title=1">'


def upload(seat: Seat, path: Path) -> None:
    seat.page.set_input_files("input[type=file]", str(path))


def save(seat: Seat, label: str) -> None:
    seat.page.click(f"button:has-text('{label}')")


def pick(seat: Seat, label: str, text: str) -> None:
    """Somebody of a picker, by typing."""
    field = seat.page.get_by_label(label, exact=True)
    field.click()
    field.fill(text)
    seat.page.locator(".picker-option", has_text=text).first.click()
    field.press("Escape")  # a picker of several stays open


def test_a_list_with_bad_rows_is_imported_and_its_bad_rows_are_told(seat: Seat, tmp_path: Path) -> None:
    rows = [f"1390013{n:04},会员{n},{HOSTILE}" for n in range(4)] + ["139-00,短号,", "1390013 0001,重复,"]
    file = tmp_path / f"{HOSTILE}.csv"  # its name is shown, and proposed for the list
    file.write_text("\n".join(["联系人电话(必填),称谓,说明", *rows]), encoding="utf-8")
    page = seat.open("/prospects/imports/new").page
    upload(seat, file)
    seat.sees("还没有找到这些列：手机号")
    seat.sees(file.name)
    page.select_option(".importtable-pick >> nth=0", "phone")
    page.select_option(".importtable-pick >> nth=1", "name")
    seat.sees("已识别 3 列")
    assert page.get_by_label("名单名称").input_value() == HOSTILE
    page.get_by_label("授权说明").fill("入会时同意接受联系")
    pick(seat, "导购", "李华")
    save(seat, "开始导入")
    seat.until(lambda: re.search(r"/prospects/imports/im_", page.url), "the import has no page")
    seat.sees("2 行未导入")
    seat.sees(HOSTILE)
    assert page.title() != "1"
    figures = page.inner_text(".figures")
    assert (
        re.search(r"新增\s*4", figures)
        and re.search(r"重复\s*1", figures)
        and re.search(r"有误\s*1", figures)
    )
    bad = page.inner_text(".badrows")
    assert "6" in bad and "手机号" in bad and "139-00" not in bad
    page.click("a:has-text('查看名单')")
    seat.settle().sees("会员3")
    assert "13900130003" not in page.content()


def test_a_number_is_shown_to_who_may_and_that_is_written_down(seat: Seat) -> None:
    page = seat.open("/prospects?status=to_add").page
    page.click(".datalist-table tbody a >> nth=0")
    seat.settle()
    assert not re.search(r"1[3-9]\d{9}", page.inner_text("main"))
    save(seat, "查看完整号码")
    page.click("dialog[open] button:has-text('查看完整号码')")
    seat.until(lambda: re.search(r"1[3-9]\d{9}", page.inner_text("main")), "no number")
    seat.sees("查看了完整号码")


def test_stores_are_checked_before_they_are_imported(seat: Seat, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text(
        "门店编号,门店名称,纬度,经度,城市,店长\n"
        f"T-1,{HOSTILE},31.2,121.4,上海,王\nT-2,反了店,121.4,31.2,上海,李\n",
        encoding="utf-8",
    )
    page = seat.open("/stores/import").page
    upload(seat, file)
    seat.sees("已识别 5 列")
    seat.sees("不会导入的列：店长")
    save(seat, "检查内容")
    seat.sees("1 家门店可以导入")
    seat.sees("1 行未导入")
    assert seat.context.request.get(f"{seat.base}/api/stores/T-1").status == 404
    save(seat, "导入 1 家门店")
    seat.sees("已导入 1 家门店")
    seat.open("/stores/T-1").sees(HOSTILE)
    seat.open("/stores/map").sees("没有导购")
    page.click("button.chip:has-text('没有导购')")
    seat.sees(HOSTILE)
    assert "gap=no_guides" in page.url and page.title() != "1"


def test_a_store_with_its_numbers_swapped_is_put_right(seat: Seat) -> None:
    page = seat.open("/stores/new").page
    page.get_by_label("门店名称").fill("对调店")
    page.get_by_label("门店编号").fill("T-3")
    page.get_by_label("纬度").fill("113.93")
    page.get_by_label("经度").fill("22.53")
    seat.sees("可能填反了")
    save(seat, "对调")
    assert page.get_by_label("纬度").input_value() == "22.53"
    save(seat, "创建门店")
    seat.at("/stores/T-3")
    seat.settle().sees("对调店")


def test_who_saves_over_another_s_change_sees_it_and_loses_neither(seat: Seat, stack: Any) -> None:
    made = {"store_id": "T-4", "name": "同改店", "latitude": 22.53, "longitude": 113.93}
    stack.api("POST", "/api/stores", made, expect=201)
    page = seat.open("/stores/T-4/edit").page
    page.get_by_label("门店名称").fill("我的店名")
    stack.api("PATCH", "/api/stores/T-4", {"city": "广州", "staff_ids": ["lihua"]}, expect=200)
    save(seat, "保存")
    seat.sees("内容已被他人修改")
    shown = page.locator(".difference").inner_text()
    assert "同改店" in shown and "我的店名" in shown and "广州" not in shown
    save(seat, "保留我的修改")
    seat.at("/stores/T-4")
    kept = stack.api("GET", "/api/stores/T-4", expect=200)
    assert (kept["name"], kept["city"], kept["staff_ids"]) == ("我的店名", "广州", ["lihua"])


def test_what_two_made_of_one_field_is_shown_by_name(seat: Seat, stack: Any) -> None:
    made = {
        "store_id": "T-5",
        "name": "同改店二",
        "latitude": 22.53,
        "longitude": 113.93,
        "staff_ids": ["lihua"],
    }
    stack.api("POST", "/api/stores", made, expect=201)
    page = seat.open("/stores/T-5/edit").page
    pick(seat, "导购", "吴悦")
    stack.api("PATCH", "/api/stores/T-5", {"staff_ids": []}, expect=200)
    save(seat, "保存")
    seat.sees("内容已被他人修改")
    shown = page.locator(".difference")
    seat.until(lambda: "李华" in shown.inner_text(), "no names in the difference")
    assert "lihua" not in shown.inner_text()
    save(seat, "使用对方的内容")
    assert stack.api("GET", "/api/stores/T-5")["staff_ids"] == []


def test_an_ads_page_is_seen_while_it_is_written(seat: Seat) -> None:
    page = seat.open("/ads/new").page
    page.get_by_label("标题", exact=True).fill(HOSTILE)
    assert HOSTILE in page.inner_text(".phone")
    save(seat, "创建落地页")
    seat.sees("处需要修改")
    page.get_by_label("名称", exact=True).fill("测试投放")
    pick(seat, "接待导购", "李华")
    page.click("label:has-text('其他平台')")
    save(seat, "创建落地页")
    seat.until(lambda: re.search(r"/ads/ac_\w+$", page.url), "no campaign")
    seat.settle().sees("测试投放")


def test_a_pool_gets_codes_by_file(seat: Seat, tmp_path: Path) -> None:
    page = seat.open("/coupons/new").page
    page.get_by_label("名称", exact=True).fill("测试券")
    save(seat, "创建券码池")
    seat.until(lambda: re.search(r"/coupons/cp_\w+$", page.url), "no pool")
    seat.settle().sees("还没有导入券码")
    save(seat, "导入券码")
    file = tmp_path / "codes.txt"
    codes = [f"CODE{n:04}" for n in range(150)]
    file.write_text("\n".join([*codes[:4], "X" * 300, *codes[4:]]), encoding="utf-8")
    upload(seat, file)
    page.click("dialog[open] button:has-text('导入')")
    seat.sees("有 1 行不对，没有添加任何券码")
    assert page.inner_text("dialog[open] .badrows tbody tr").split()[0] == "5"
    file.write_text("\n".join(codes), encoding="utf-8")
    upload(seat, file)
    page.click("dialog[open] button:has-text('导入')")
    seat.sees("已导入 150 个")
    seat.until(lambda: re.search(r"剩余\s*150", page.inner_text(".figures")), "not in the figures")
    page.click("a:has-text('编辑')")
    page.get_by_label("名称", exact=True).fill("改名券")
    save(seat, "保存")
    seat.sees("已保存「改名券」")
    seat.until(lambda: page.inner_text("h1") == "改名券", "not renamed")


def test_an_sop_is_checked_at_its_lines_made_paused_and_stopped(seat: Seat) -> None:
    page = seat.open("/sops/new").page
    area = page.locator(".yaml-area")
    text = area.input_value()
    area.fill(text.replace("after: P1D", "after: PT1M").replace("name:", "nam:", 1))
    save(seat, "检查")
    seat.sees("第 14 行")  # told beside the name that is missing
    assert "第 1 行" in page.inner_text(".yaml-errors")
    area.fill(text.replace("新客 48 小时", "测试 SOP"))
    save(seat, "创建并启动")
    page.click("dialog[open] button:has-text('创建并启动')")
    seat.until(lambda: re.search(r"/sops/sop_\w+$", page.url), "no SOP")
    seat.settle()
    save(seat, "暂停")
    page.click("dialog[open] button:has-text('暂停')")
    seat.sees("已暂停：")
    page.click("[aria-label=更多操作]")
    page.click("[role=menuitem]:has-text('终止')")
    page.fill("dialog[open] input", "测试 SOP")
    page.click("dialog[open] button:has-text('终止')")
    seat.sees("已终止：")


def test_each_number_of_a_run_opens_its_touches(seat: Seat) -> None:
    page = seat.open("/sops").page
    page.click(".datalist-table a:has-text('新客 48 小时')")
    seat.settle()
    figure = page.locator("a.figure", has_text="已送达")
    count = int(re.sub(r"\D", "", figure.locator(".figure-value").inner_text()))
    figure.click()
    seat.settle().sees("触达明细")
    assert "status=sent" in page.url
    seat.until(lambda: re.search(r"(\d+) 条", page.inner_text(".datalist-total")), "no total")
    assert page.locator(".datalist-table tbody tr[data-n], .datalist-table tbody tr").count() >= min(count, 1)


def test_the_default_welcome_counts_bytes_and_shows_names(seat: Seat) -> None:
    page = seat.open("/welcomes").page
    field = page.get_by_label("文字", exact=True)
    field.fill(f"您好 {HOSTILE}")
    save(seat, "客户昵称")
    assert "林晓" in page.inner_text(".phone") and HOSTILE in page.inner_text(".phone")
    field.fill("长" * 1400)
    seat.sees("4200 / 4000")
    save(seat, "保存")
    seat.sees("处需要修改")
    field.fill("欢迎")
    save(seat, "保存")
    seat.sees("已保存默认欢迎语")


@pytest.mark.parametrize(
    "path", ["/prospects/im_none", "/stores/none", "/ads/none", "/coupons/none", "/sops/none"]
)
def test_what_is_not_there_is_said(seat: Seat, path: str) -> None:
    seat.open(path).sees("找不到该内容")


def test_a_store_manager_sees_no_settings(browser: Any, stack: Any, seat: Seat) -> None:
    made = seat.context.request.post(
        f"{seat.base}/api/api-keys",
        headers={"Authorization": f"Bearer {stack.key}"},
        data={"name": "店长", "role": "store_manager", "scope": {"store_ids": ["sh-xuhui"]}},
    ).json()
    manager = Seat(browser, stack.base).sign_in(made["key"])
    manager.open("/stores").sees("共 1 条")
    manager.open("/welcomes").sees("没有查看权限")
    manager.open("/touches")
    assert not manager.complaints
    manager.close()
