"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_order": ("没有订单 {order_id}", "there is no order {order_id}"),
    "line_not_in_plan": ("该商品不在方案的计佣范围内", "this product is outside of the plan's products"),
}
