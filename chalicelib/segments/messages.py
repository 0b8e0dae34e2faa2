"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_segment": ("没有这个客群", "there is no such segment"),
    "segment_circle": ("客群不能直接或间接引用自己", "a segment can't ask for itself, nor by way of another"),
    "segment_nodes": (
        "连同引用的客群共 {nodes} 个条件，最多 {most} 个",
        "with the segments it asks for a rule has {nodes} nodes; {most} at most",
    ),
    "segment_in_use": (
        "客群「{name}」引用了它，请先修改",
        "the segment {name} asks for it; change that first",
    ),
    "segment_frozen": (
        "固定客群的条件不能修改，请新建一个",
        "who is in a frozen segment stays; make another one",
    ),
    "segment_of_others": (
        "这个客群不是为您的门店建的，只能查看",
        "this segment was made for others than your stores; you may only look at it",
    ),
    "segment_not_counted": ("正在统计，请稍后再看", "it is being counted; look again soon"),
}
