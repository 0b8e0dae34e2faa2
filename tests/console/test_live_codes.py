"""What people do with live codes: make one and see it land, edit beside somebody else, stop and undo, files, views."""

import time
from typing import Any

import httpx
import pytest

from tests.console.browser import Seat


@pytest.fixture
def api(stack: Any) -> httpx.Client:
    return httpx.Client(base_url=stack.base, headers={"Authorization": f"Bearer {stack.key}"}, timeout=60)


def make_code(api: httpx.Client, name: str) -> dict[str, Any]:
    body = {
        "name": name,
        "assignment": {"members": [{"staff_id": "lihua"}], "fallback_staff_ids": ["chenjie"]},
    }
    answer = api.post("/api/live-codes", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def field(seat: Seat, label: str) -> Any:
    return seat.page.get_by_label(label, exact=True)


def pick(seat: Seat, label: str, typed: str, name: str) -> None:
    """Out of a list that is searched: typed as people type, chosen by the keyboard."""
    box = field(seat, label)
    box.click()
    box.fill(typed)
    option = seat.page.locator(".picker-list:visible [role=option]", has_text=name)
    option.first.wait_for()
    seat.until(
        lambda: name in seat.page.inner_text(".picker-at:visible"), f"{name} is not the first for {typed}"
    )
    box.press("Enter")


def test_a_code_is_made_by_hand_and_a_scan_of_it_is_seen_at_once(seat: Seat, stack: Any) -> None:
    name = f"开业海报 {time.time_ns()}"
    seat.open("/live-codes").page.click("text=新建活码")
    seat.page.click("button:has-text('创建活码')")
    seat.sees("有 2 处需要修改")  # the name, which no body is without, and that nobody is there to receive
    seat.page.click(".errorsummary .link >> nth=0")
    assert seat.page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
    seat.page.keyboard.type(name)
    pick(seat, "添加成员", "lihua", "李华")
    seat.page.click(".members .link")
    field(seat, "每日上限").fill("20")
    pick(seat, "后备成员", "chenjie", "陈洁")
    assert not seat.page.locator(".picker-list:visible").count()  # it would lie over what is clicked next
    field(seat, "欢迎语内容").fill("您好 {customer_name}，我是{staff_name}")
    seat.until(
        lambda: "您好 林晓，我是李华" in seat.page.inner_text(".phone"), "the phone does not show the welcome"
    )
    seat.page.click("button:has-text('创建活码')")
    seat.page.wait_for_selector(f"h1:has-text('{name}')")
    seat.sees("还没有人扫码")
    seat.sees("0 / 20 人")
    url = seat.page.inner_text(".codeone-code .mono")
    scanned = httpx.get(
        f"{stack.base}/s/{url.rpartition('/')[2]}", headers={"Accept": "application/json"}, timeout=60
    )
    assert scanned.json()["staff_id"]
    began = time.monotonic()
    seat.until(lambda: "第 1 次扫码" in seat.page.inner_text(".assigned"), "the scan is not seen")
    print(f"seen after {time.monotonic() - began:.1f} s")
    seat.page.click("role=tab[name='模拟扫码']")
    seat.page.click("text=试试 21:00")
    seat.until(lambda: "第 2 次扫码" in seat.page.inner_text(".sim-answer"), "no answer")
    assert seat.page.locator(".sim-chosen").count() == 1


def test_of_two_who_edit_one_code_either_can_win(seat: Seat, api: httpx.Client) -> None:
    """That the difference is shown: test_unsaved_work.py. What one left alone is the other's, whoever wins."""
    for button, name in (("保留我的修改", "我的名称"), ("使用对方的内容", "对方的名称")):
        code = make_code(api, "两人同时编辑")
        address = f"/api/live-codes/{code['live_code_id']}"
        seat.open(f"/live-codes/{code['live_code_id']}/edit")
        field(seat, "名称").fill("我的名称")
        assert api.patch(address, json={"name": "对方的名称", "skip_verify": False}).status_code == 200
        seat.page.click("button:has-text('保存')")
        seat.page.click(f"text={button}")
        if name == "我的名称":
            seat.page.wait_for_selector(f"h1:has-text('{name}')")
        else:
            seat.until(lambda: field(seat, "名称").input_value() == "对方的名称", "theirs is not taken")
        told = api.get(address).json()
        assert (told["name"], told["skip_verify"]) == (name, False)


def test_a_code_is_stopped_with_what_that_means_and_started_again(seat: Seat, api: httpx.Client) -> None:
    code = make_code(api, "停用再恢复")
    seat.open(f"/live-codes/{code['live_code_id']}")
    seat.page.click("[aria-label=更多操作]")
    seat.page.click("role=menuitem[name='停用']")
    seat.sees("已添加的客户、数据和海报都保留")
    seat.page.click("dialog[open] button:has-text('停用')")
    seat.sees("该活码已停用")
    assert api.get(f"/api/live-codes/{code['live_code_id']}").json()["archived"] is True
    seat.page.click(".toast .link")
    seat.until(lambda: "该活码已停用" not in seat.page.inner_text("main"), "it is not restored")
    assert api.get(f"/api/live-codes/{code['live_code_id']}").json()["archived"] is False


def test_a_file_of_codes_is_applied_after_its_differences_were_seen(seat: Seat, api: httpx.Client) -> None:
    code = make_code(api, "文件里的活码")
    text = api.get("/api/live-codes/export", params={"ids": code["live_code_id"]}).text
    seat.open("/live-codes/file")
    editor = field(seat, "YAML 内容")
    editor.fill(text.replace("文件里的活码", "文件改过的活码") + "    kind: [")
    seat.page.click("button:has-text('查看差异')")
    seat.page.wait_for_selector(".yaml-mark")
    editor.fill(text.replace("文件里的活码", "文件改过的活码"))
    seat.page.click("button:has-text('查看差异')")
    seat.page.wait_for_selector(".difference-to:has-text('文件改过的活码')")
    seat.page.click("button:has-text('应用 1 处改动')")
    seat.page.click("dialog[open] button.primary")
    seat.at("/live-codes")
    assert api.get(f"/api/live-codes/{code['live_code_id']}").json()["name"] == "文件改过的活码"


def test_a_list_is_searched_by_pinyin_filtered_kept_as_a_view_and_taken_away(
    seat: Seat, api: httpx.Client
) -> None:
    number = time.time_ns() % 1_000_000
    typed, name = f"pinyinsousuo{number}", f"拼音搜索{number}"
    make_code(api, name)
    page = seat.open("/live-codes").page
    page.keyboard.press("/")
    page.keyboard.type(typed)
    seat.until(lambda: f"q={typed}" in page.url, "the address does not say so")
    seat.settle()
    assert page.locator(".datalist-row").count() == 1
    page.keyboard.press("ArrowDown")
    assert name in page.evaluate("document.activeElement.textContent")
    page.click(".pill-main:has-text('类型')")
    page.click(".pill-list button:has-text('加导购')")
    seat.until(lambda: "kind=staff" in page.url, "the filter is not in the address")
    view = f"只看导购 {time.time_ns()}"
    page.click("text=保存为视图")
    field(seat, "视图名称").fill(view)
    page.click("dialog[open] button:has-text('保存')")
    seat.until(lambda: page.locator(f".views-one[aria-pressed=true]:has-text('{view}')").count(), "no view")
    page.click(".pill-x")
    page.click(f".views-one:has-text('{view}')")
    seat.until(lambda: "kind=staff" in page.url and typed in page.url, "the view is not opened")
    seat.settle()
    with page.expect_download() as download:
        page.click("button:has-text('导出')")
        page.click("role=menuitem[name='导出 CSV']")
    assert name in download.value.path().read_text(encoding="utf-8-sig")
    page.keyboard.press("ArrowDown")
    page.locator(".datalist-row a").first.press("Enter")
    page.wait_for_selector(f"h1:has-text('{name}')")
