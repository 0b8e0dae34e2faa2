"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "contrast_on_white": (
        "白字写在 {colour} 上看不清（对比度 {ratio}，至少要 {minimum}）；最接近的可用颜色是 {nearest}",
        "white text can't be read on {colour} (contrast {ratio}, {minimum} is needed): "
        "the nearest colour that passes is {nearest}",
    ),
    "contrast_on_second": (
        "{colour} 的字写在辅助色 {against} 上看不清（对比度 {ratio}，至少要 {minimum}）；"
        "最接近的可用颜色是 {nearest}",
        "text in {colour} can't be read on {against} (contrast {ratio}, {minimum} is needed): "
        "the nearest colour that passes is {nearest}",
    ),
    "contrast_of_colours": (
        "主色 {against} 的字写在 {colour} 上看不清（对比度 {ratio}，至少要 {minimum}）；"
        "最接近的可用颜色是 {nearest}",
        "text in {against} can't be read on {colour} (contrast {ratio}, {minimum} is needed): "
        "the nearest colour that passes is {nearest}",
    ),
    "brand_picture": (
        "请先上传图片，再填写上传后得到的地址",
        "must be the address that POST /api/brand/pictures gave",
    ),
    "no_svg": (
        "不支持 SVG，请导出为 PNG 再上传",
        "SVG is not taken: export it as a PNG",
    ),
    "not_a_brand_picture": (
        "不是完好的 PNG、JPEG 或 WebP 图片",
        "is not a sound PNG, JPEG or WebP picture",
    ),
    "picture_too_small": (
        "图片只有 {size} 像素，每边至少 {minimum}",
        "the picture has {size} pixels only: each side needs {minimum}",
    ),
}
