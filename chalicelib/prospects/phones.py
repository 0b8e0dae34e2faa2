"""A phone number as people and spreadsheets write it → E.164, or the reason why not. No I/O.

The library is imported where it is used: the API needs it for few of its calls.
"""

import re
import unicodedata

_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d*))?[eE]\+?(\d{1,2})")
_DECIMAL = re.compile(r"(\+?\d{5,})\.0+")
_FILLERS = re.compile(r"[\s\-()./\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_NUMBER = re.compile(r"\+?\d{5,20}")
_IN_TEXT = re.compile(r"\+?\d[\d\- ]{6,20}\d")
MAX_LENGTH = 64


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
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("'‘’`").strip()
    if not plain:
        raise BadPhone("phone_empty")
    plain = _FILLERS.sub("", _undone(plain))
    if not _NUMBER.fullmatch(plain):
        raise BadPhone("phone_not_one")
    return _e164(plain, country)


def _e164(plain: str, country: str) -> str:
    import phonenumbers
    from phonenumbers import PhoneNumberType

    mobile = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    try:
        number = phonenumbers.parse(plain, country)
        code = str(phonenumbers.country_code_for_region(country))
        if not phonenumbers.is_valid_number(number) and plain.startswith(code):
            number = phonenumbers.parse(f"+{plain}", country)  # 86138…: the country's code without its +
    except phonenumbers.NumberParseException as error:
        raise BadPhone("phone_invalid") from error
    if not phonenumbers.is_valid_number(number):
        raise BadPhone("phone_unknown")
    if phonenumbers.number_type(number) not in mobile:
        raise BadPhone("phone_not_mobile")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def found_in(text: str, country: str) -> list[str]:
    """The mobile numbers in a text (a remark), at most five."""
    numbers = []
    for candidate in _IN_TEXT.findall(unicodedata.normalize("NFKC", text[:200]))[:5]:
        try:
            numbers.append(normalised(candidate, country))
        except BadPhone:
            continue
    return numbers


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
