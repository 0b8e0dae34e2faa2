"""Who asks is a robot: a search engine, a link's preview, a prefetch, a security check. Not a person.

The list is kept here, and tests/platform/test_robots.py holds it against that of the PyPI project
crawler-user-agents. The project's own is not for the way of a scan: it takes 25 ms of a whole processor to
load and 1 ms a scan, calls HTTP libraries robots, and knows some phones as such (the build AP3A.240617.008
of Oppo's, Facebook's own browser). Left out on purpose: libraries (one that asks for JSON is a phone), and
browsers that a program drives.
"""

import re
from collections.abc import Mapping

# Whatever calls itself so, or gives an address to read about it. CUBOT is a make of phones.
_KINDS = re.compile(
    r"(?<!cu)bots?(?![a-z])|spiders?(?![a-z])|crawl|scraper|slurp|indexer|fetcher|\+https?://(?!github\.com/)"
    r"|(?:wechat|wxwork|wework|qq|weibo|dingtalk|lark|feishu)/\S* cfnetwork"  # apps' own fetches on iOS
    r"|^(?:whatsapp|viber|tumblr/|asana/|notion/|ning/|wordpress/|biglotron)|daum(?:oa)?/|coccoc(?:/|$)"
)
_NAMES = (
    # Previews of links: developers.facebook.com/docs/sharing/webmasters, api.slack.com/robots
    *("facebookexternalhit", "facebookcatalog", "meta-externala", "meta-externalfetch", "line-poker"),
    *("skypeuripreview", "bingpreview", "microsoftpreview", "kakaotalk-scrap", "slack-img", "whatsapp/"),
    *("snap url preview", "google web preview", "link preview", "linkpreview", "iframely", "embedly"),
    *("hatena", "mastodon/", "friendica", "bluesky", "valve/steam", "forum onebox", "github-camo"),
    # WeChat's, WeCom's and QQ's have no page of their own. The security team's name, and the header beside
    # it (Tencent-Leakscan), stand in Tencent's open code.
    *("micromessenger client", "wechatshareextension", "tencent_security_team", "qq-url-manager"),
    # China's: help.baidu.com/question?prod_id=99, zhanzhang.so.com, zhanzhang.sogou.com (spiders all)
    *("baidu-transcoder", "baidu-yunguance", "baiduyundetector", "yunjiankong", "jiankongbao"),
    *("alibaba.security.heimdall", "yunaqscan", "anquanbao", "knownsec"),
    # Of search engines, by another name: developers.google.com/search/docs/crawling-indexing
    *("google-inspectiontool", "googleother", "google-read-aloud", "google favicon", "google-site-verif"),
    *("google-safety", "google-physicalweb", "google-certificates", "google-xrawler", "playstore-google"),
    *("google-ads", "google-adwords", "googleassociationservice", "mediapartners-google", "apis-google"),
    *("feedfetcher-google", "google-extended", "duplexweb-google", "googleimageproxy", "google page speed"),
    *("chrome-lighthouse", "yandexfavicons", "ia_archiver", "heritrix", "httrack", "yeti/", "gigablast"),
    *("wesee:search", "funnelback", "swisscows", "searchexpress", "searchmonkey", "search.marginalia"),
    *("ows.eu", "searcherweb", "searcherxweb", "websearchx", "internetsearchx", "ichiro/", "yahoomailproxy"),
    # Assistants: platform.openai.com/docs/bots
    *("chatgpt-user", "claude-user", "claude-search", "perplexity-user", "anthropic-ai", "cohere-ai"),
    *("mistralai-user", "knowledge ai", "img2dataset", "cloudflare-autorag"),
    # Monitors and scanners
    *("pingdom", "statuscake", "site24x7", "newrelicpinger", "datadogsynth", "uptime", "gtmetrix", "ptst/"),
    *("catchpoint", "zabbix", "nagios", "appinsights", "dareboost", "checkly", "monitoring", "zgrab"),
    *("masscan", "nuclei", "censysinspect", "internetmeasurement", "palo alto networks", "netcraft"),
    *("acunetix", "openvas", "nessus", "qualys", "wpscan", "nikto", "sqlmap", "zmeu", "l9explore"),
    *("whatweb", "virustotal", "urlscan", "securityheaders", "ssl labs", "detector", "scanner", "scanning"),
    *("l9scan", "nmap ", "dirbuster", "sucuri", "hardenize", "watchtowr"),
    # Readers and archives
    *("feedly", "feedburner", "flipboardproxy", "instapaper", "w3c_", "w3c-", "validator.nu", "newsblur"),
)
_PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_NO_PERSON = ("prefetch", "prerender", "preview")


def is_robot(headers: Mapping[str, str]) -> bool:
    """Whether nobody looks at what this request gets: by its user agent, or by its purpose."""
    return is_ahead(headers) or "tencent-leakscan" in headers or is_agent(headers.get("user-agent", ""))


def is_ahead(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks ahead, for somebody who may look at it later, or never."""
    return any(word in headers.get(name, "").lower() for name in _PURPOSES for word in _NO_PERSON)


def is_agent(agent: str) -> bool:
    """Whether a user agent is a robot's. An empty one says nothing, so it is not."""
    agent = agent.lower()
    return _KINDS.search(agent) is not None or any(name in agent for name in _NAMES)
