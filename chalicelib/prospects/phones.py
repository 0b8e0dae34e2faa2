"""A phone number as people and spreadsheets write it → E.164, or the reason why not. No I/O.

The library is imported where it is used: the API needs it for few of its calls. Of China's mobile numbers it
lacks ranges that are in use (146, 148, 149, 1741, 1749 in 9.0): these are judged by the ministry's own list.
"""

import re
import unicodedata
from typing import Any

from chalicelib.tables import cells

# 工业和信息化部, 我国公众移动通信网网号及 H0 分配情况 (March 2023); 1349, 1619, 174 are satellites'.
_OF_CHINA = re.compile(
    r"(?:1(?:3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-35-8]|8\d|9[0-35-9])\d|1619|174[019])\d{7}", re.ASCII
)
_CODE = r"(?:(?:\+|00)?86[ \-]?)?"
_GAP = "[ .\\-\u2010-\u2015]?"
_GROUPS = "|".join(
    rf"1[3-9]\d{{{a - 2}}}{_GAP}\d{{{b}}}{_GAP}\d{{{c}}}" for a, b, c in ((3, 4, 4), (4, 3, 4), (4, 4, 3))
)
# Among other things: nothing of a longer number, of a number with an extension, of `<number>-2`.
_AMONG = re.compile(
    rf"(?<!\d)(?<!\d[\-.]){_CODE}({_GROUPS})(?!\d|-\d|\.[1-9])(?!\s*(?:转|轉|ext|#|x)\W?\d)",
    re.ASCII | re.IGNORECASE,
)
_NO_DIGIT = re.compile(r"\D+", re.ASCII)
_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d*))?[eE]\+?(\d{1,3})")
_DECIMAL = re.compile(r"(\+?\d{5,})\.0+")
_FILLERS = re.compile(r"[\s\-()./\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_NUMBER = re.compile(r"\+?\d{5,20}")
MAX_LENGTH = 64
_SHORTEST = 7  # digits of a number


class BadPhone(ValueError):
    """Why it is no phone number that somebody can be added by: a code of `platform.messages`."""

    @property
    def code(self) -> str:
        return str(self)


def is_country(code: str) -> bool:
    """Whether it is a country (ISO 3166) whose numbers we know."""
    import phonenumbers

    return code in phonenumbers.SUPPORTED_REGIONS


def normalised(text: str, country: str) -> str:
    """E.164 (`+8613800001234`) of a mobile number, `country` (ISO 3166) for those without +. BadPhone."""
    if len(text) > MAX_LENGTH:
        raise BadPhone("phone_too_long")
    written = cells.plain(text).lstrip("'‘’`").strip()
    if not written:
        raise BadPhone("phone_empty")
    try:
        return _alone(written, country)
    except BadPhone as alone:
        if alone.code == "phone_lost_digits":
            raise
        among = find_numbers(written, country)
        if not among:
            raise
        if len(among) > 1:
            raise BadPhone("phone_several") from alone
        return among[0]


def find_numbers(text: str, country: str) -> list[str]:
    """The mobile numbers in a text (a remark), at most five, each once."""
    plain = unicodedata.normalize("NFKC", text[:200])
    numbers: dict[str, None] = {}
    if country == "CN":
        for match in _AMONG.finditer(plain):
            digits = _NO_DIGIT.sub("", match[1])
            if _OF_CHINA.fullmatch(digits):
                numbers[f"+86{digits}"] = None
        plain = _AMONG.sub(";", plain)
    if len(_NO_DIGIT.sub("", plain)) >= _SHORTEST:
        from phonenumbers import PhoneNumberMatcher

        for other in PhoneNumberMatcher(plain, country):
            if _is_mobile(other.number) and (country != "CN" or other.raw_string.startswith("+")):
                numbers[_formatted(other.number)] = None
    return list(numbers)[:5]


def _alone(written: str, country: str) -> str:
    plain = _FILLERS.sub("", _undone(written))
    if not _NUMBER.fullmatch(plain):
        raise BadPhone("phone_not_one")
    if country == "CN" or plain.startswith("+86"):
        digits = plain.removeprefix("+").removeprefix("00").removeprefix("86")
        if _OF_CHINA.fullmatch(digits):
            return f"+86{digits}"
    return _e164(plain, country)


def _e164(plain: str, country: str) -> str:
    import phonenumbers

    try:
        number = phonenumbers.parse(plain, country)
        code = str(phonenumbers.country_code_for_region(country))
        if not phonenumbers.is_valid_number(number) and plain.startswith(code):
            number = phonenumbers.parse(f"+{plain}", country)  # 86138…: the country's code without its +
    except phonenumbers.NumberParseException as error:
        raise BadPhone("phone_invalid") from error
    if not phonenumbers.is_valid_number(number):
        raise BadPhone("phone_unknown")
    if not _is_mobile(number):
        raise BadPhone("phone_not_mobile")
    return _formatted(number)


def _is_mobile(number: Any) -> bool:
    from phonenumbers import PhoneNumberType, number_type

    return number_type(number) in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def _formatted(number: Any) -> str:
    import phonenumbers

    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _undone(text: str) -> str:
    """What a spreadsheet did to a number, undone where nothing was lost. BadPhone where digits were."""
    if scientific := _SCIENTIFIC.fullmatch(text):
        whole, decimals, exponent = scientific[1], (scientific[2] or "").rstrip("0"), int(scientific[3])
        if len(scientific[2] or "") < exponent:
            raise BadPhone("phone_lost_digits")
        if len(decimals) > exponent or exponent > 15:
            raise BadPhone("phone_invalid")
        return whole + (scientific[2] or "")[:exponent].ljust(exponent, "0")
    if decimal := _DECIMAL.fullmatch(text):
        return decimal[1]
    return text
