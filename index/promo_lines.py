"""Lines of a news page that are not of the report: share rows, promos, credits, lists of links.

Each rule asks for a whole line and for the shape of a label or an order to the reader, never for
a word alone, because a sentence lost is worse than a promo left: a sentence that speaks of
newsletters, or quotes "Follow us on Twitter", is the report. Calibrated on 3,000 press articles
and 16 saved pages by reading what each rule took.
"""

import re
from collections.abc import Sequence

from index.paragraphs import ends_sentence

# No promo line is longer; what is longer is prose and not looked at.
LONGEST_PROMO = 300
# A line of this length that ends like a sentence is taken for prose.
SHORTEST_PROSE = 60
LONGEST_FIRST_WORD = 24
LONGEST_PITCH = 12  # lines
# A box's title or a link's text among the promo lines at the end is no longer.
LONGEST_LABEL = 80


def _listed(text: str) -> frozenset[str]:
    """The phrases of a list that is divided by bars and line ends."""
    return frozenset(phrase.strip() for phrase in re.split(r"[|\n]", text)) - {""}


LABELS = _listed(
    """
    video of day|video of the day|poster|x|share|share this|share this article|share this story
    share this page|share this post|share this with|share this video|share on facebook
    share on twitter|share via email|share options|share page|share icon|show more sharing options
    close extra sharing options|tweet|tweet this|print|print this page|printer-friendly version
    print article|email|email this|email article|email this article|e-mail|copy link|copy this link
    link copied|copied|save|saved|save article|save for later|bookmark|gift article|reprints
    reprints & permissions|reprints and permissions|order reprints|comment|comments|leave a comment
    leave a reply|post a comment|view comments|show comments|read comments|add a comment
    view the comments|see comments|join the conversation|join the discussion|write a comment
    comments are closed|be the first to comment|facebook|twitter|whatsapp|linkedin|pinterest|reddit
    telegram|messenger|instagram|flipboard|google news|rss|sms|advertisement|advertisements
    advertising|advert|ads|ad|sponsored|sponsored content|sponsored by|promoted|promoted content
    promoted stories|paid content|paid post|partner content|continue reading
    continue reading the main story|continue reading below|keep reading|read more|read more here
    read more news|read full story|read full article|read the full story|read the full article
    read the full story here|read the full article here|read next|read later|also read|read also
    show more|show more news|show less|show all|load more|load more stories|load more articles
    loading|loading comments|please wait|see more|see also|see all|view more|view all|view gallery
    view slideshow|more|more stories|more news|more info|more from us|menu|open menu|close menu
    search|home|homepage|skip to content|skip to main content|skip to navigation|skip navigation
    skip ad|skip to footer|jump to navigation|close|close this message|dismiss|accept|accept all
    accept cookies|accept all cookies|i agree|got it|manage cookies|cookie settings|cookie policy
    privacy policy|privacy notice|terms of use|terms of service|terms and conditions
    terms & conditions|do not sell my personal information|do not sell or share my personal info
    your privacy choices|sign in|sign out|log in|log out|login|register|register now|create account
    my account|subscribe|subscribe now|subscribe today|subscribe here|subscribe to our newsletter
    subscribe to our newsletters|sign up|sign up now|sign up here|sign up today|newsletter
    newsletters|our newsletters|newsletter sign-up|newsletter signup|enter your email
    enter your email address|your email address|email address|submit|donate|donate now|support us
    become a member|become a subscriber|get the app|download the app|download our app|most read
    most popular|most viewed|most shared|most commented|trending|trending now|trending stories
    trending news|popular|popular now|popular stories|popular news|editor's picks|editors' picks
    editors picks|editor's choice|editors pick|recommended|recommended for you|recommended stories
    recommended articles|recommended reading|recommended videos|suggested for you
    you may also like|you might also like|you may like|you may be interested in|more for you
    related|related stories|related articles|related story|related article|related topics
    related content|related news|related links|related coverage|related posts|related video
    related videos|more on this story|more on this topic|more on this|around the bbc
    top stories|more top stories|latest news|latest stories|latest headlines|latest videos
    breaking news|up next|next up|next article|previous article|next story|previous story|next post
    previous post|next|previous|prev|watch live|watch now|watch video|watch the video|watch video
    play|play video|pause|mute|unmute|replay|replay video|autoplay|full screen|fullscreen|settings
    hide caption|toggle caption|show caption|enlarge this image|enlarge image|expand image
    view image in fullscreen|open image in gallery|image|images|photos|gallery|photo gallery
    listen to this article|listen to article|listen to story|text size|font size|embed|tags|topics
    follow|follow us|follow topics|about the author|about the authors|more by this author
    more from this author|more by the author|about us|contact us|contact|advertise|advertise with us
    all rights reserved|back to top|scroll to top|return to top|top|story continues below
    story continues|story continued below|story continues below advertisement
    story continues after advertisement|article continues below|article continues below ad
    article continues after advertisement|article continues below advertisement
    article continues after sponsor message|article continues after ad|continue after advertisement
    advertisement continue reading below|scroll to continue|scroll to continue with content
    scroll down to continue reading|text continues below|report this ad|report ad|remove ads
    why you can trust us|why this ad|we recommend|from our partners|from the web|around the web
    more from around the web|more from the web|support independent journalism
    support our journalism|posted on|posted in|posted by|filed under|file under|published on
    location details|open this photo in gallery|open in new tab
    javascript is disabled|media playback is unsupported on your device|video unavailable
    your browser does not support the video tag|your browser does not support the audio element
    this video can not be played|this video cannot be played|thank you for reading
    thanks for reading|thank you for subscribing|end of article|back to article
    this browser does not support the video element|pullquote
    publicidad|compartir|lea también|leer más|lo más leído|publicité|partager|lire aussi
    lire la suite|anzeige|werbung|teilen|lesen sie auch|mehr zum thema|pubblicità|condividi
    leggi anche|publicidade|compartilhar|leia também|leia mais|reclame|delen|lees ook
    also see|photo|video|youtube|published in
    """
)

# A row of buttons, read as words: each must be one of these, and one of them to share with.
_SHARING = frozenset(
    (
        *("share", "shares", "tweet", "retweet", "print", "email", "e-mail", "mail", "facebook"),
        *(
            "twitter",
            "whatsapp",
            "linkedin",
            "pinterest",
            "reddit",
            "telegram",
            "messenger",
            "instagram",
        ),
        *("flipboard", "pocket", "tumblr", "viber", "vk", "sms", "copy", "link", "save", "comment"),
        *("comments", "youtube", "tiktok", "threads", "bluesky", "mastodon", "snapchat", "google"),
        *("plus", "rss", "icon"),
    )
)
_BUTTON_WORDS = _SHARING | frozenset(
    (
        *(
            "on",
            "via",
            "this",
            "to",
            "article",
            "story",
            "more",
            "x",
            "in",
            "by",
            "with",
            "a",
            "and",
        ),
        *("post",),
    )
)

_PLATFORM = (
    r"(?:twitter|facebook|instagram|youtube|linkedin|telegram|whatsapp|tiktok|threads|snapchat|"
    r"google news|google\+|flipboard|pinterest|reddit|bluesky|mastodon|social media|apple news|"
    r"soundcloud|spotify|tumblr|@\w+)"
)
_OWN = r"(?:our|the|this|your|my|a|an|any|all|more|some|free|daily|weekly)"
_MEDIUM = (
    r"(?:newsletters?|e-?mails?|alerts?|inbox|updates?|notifications?|podcasts?|channels?|apps?|"
    r"digests?|briefings?|e-?editions?|enation|bulletins?|magazine|subscriptions?)"
)
_CREDIT = (
    r"(?:photos?|photographs?|pictures?|images?|videos?|graphics?|illustrations?|cartoons?|credits?|"
    r"fotos?)"
)
_AGENCY = (
    r"(?:getty(?: images)?|shutterstock|istock(?:photo)?|alamy(?: stock photo)?|ap photo|"
    r"afp/getty|epa-efe|[^()\[\]/]{2,40}/(?:epa|reuters|afp|ap)|"
    r"(?:ap|reuters|afp|epa|bloomberg|getty) (?:file )?(?:photo|images?)|"
    r"file photo|handout|photo|picture|image|courtesy of|screengrab|screenshot|"
    r"via (?:ap|reuters|afp|getty))"
)

# By the first word of the line: the whole line must match one of its rules. Texts are casefolded,
# with straight apostrophes, and without punctuation at their ends.
_RULES: dict[str, tuple[str, ...]] = {
    "follow": (
        rf"follow (?:us\b|me\b|@\w+|[\w'. ]{{2,40}}? (?:on|at|@)\b).*{_PLATFORM}.*",
        r"follow (?:us|me|him|her|them)(?: (?:here|now))?",
        r"follow @\w+.{0,60}",
        r"follow us\b[:| ].{0,80}",
        r"follow (?:our|the) (?:live )?(?:blog|coverage|updates)\b.{0,40}",
    ),
    "like": (rf"like (?:us|our page) on {_PLATFORM}.*",),
    "find": (rf"find (?:us|me|more|him|her) on {_PLATFORM}.*",),
    "join": (
        rf"join (?:us|our|the [\w' ]{{2,30}}) (?:on|at) {_PLATFORM}.*",
        rf"join our .*(?:{_MEDIUM}|group|community|{_PLATFORM}).*",
        r"join (?:now|today)\b.{0,60}",
        r"join the (?:conversation|discussion|debate)\b.{0,80}",
    ),
    "connect": (rf"connect with .*(?:on )?{_PLATFORM}.*", r"connect with (?:us|me)"),
    "contact": (
        r"contact (?:us|me)\b.{0,80}",
        r"contact (?:the (?:author|writer|reporter|editor|newsroom)\b|[\w'. ]{2,40} at ).{0,80}",
        r"contact: ?[\d;, +()-]{6,}.*",
    ),
    "download": (rf"download .*(?:{_MEDIUM}|ios|android|app store|google play|here).*",),
    "get": (
        rf"get (?:{_OWN}|breaking|the latest|[\w']+ news|unlimited|exclusive)\b.*{_MEDIUM}.*",
        r"get (?:unlimited )?(?:digital )?access\b.{0,80}",
    ),
    "sign": (
        rf"sign up\b.*(?:{_MEDIUM}|here|free|stories|headlines).*",
        r"sign up (?:for|to) .{2,60}",
        r"sign in to .{2,60}",
    ),
    "subscribe": (
        r"subscribe (?:now|today|here|for free|for just|for only)\b.{0,120}",
        rf"subscribe (?:to|on|via|for)\b.*"
        rf"(?:{_MEDIUM}|{_PLATFORM}|itunes|access|edition|full story).*",
        r"subscribe to [\w'& ]{2,60} to (?:bookmark|read|access|continue|view|comment|save)\b.*",
        r"subscribe to (?:the )?[\w'& ]{2,40}",
    ),
    "click": (
        r"click (?:here|on the (?:link|image|photo|video|map)|below|to|through|for)\b.{0,160}",
        r"click .* to (?:subscribe|read|watch|see|view|sign|expand|enlarge)\b.{0,80}",
    ),
    "tap": (r"tap (?:here|to)\b.{0,100}",),
    "register": (r"register (?:now|here|today|for free|to )\b.{0,80}",),
    "enable": (r"enable (?:notifications|javascript|cookies)\b.*",),
    "please": (
        r"please (?:enable|turn on|activate|disable) (?:your )?(?:javascript|cookies|ad ?block).*",
        r"please (?:subscribe|sign in|log in|sign up|register|follow us|share this)\b.*",
        r"please (?:consider )?(?:making a donation|donating|supporting our|support our)\b.*",
    ),
    "to": (
        r"to (?:view|read|continue reading|see|access) (?:the (?:full|rest|whole|entire)|this|more)"
        r"\b.*\b(?:subscri|sign|log ?in|regist|click|purchase|visit).*",
        r"to (?:subscribe|sign up|unsubscribe)\b.*",
    ),
    "this": (
        r"this (?:site|website|page) (?:uses|requires|is protected by) .*",
        r"this (?:material|article|content|story) may not be (?:published|reproduced|copied)\b.*",
        r"this (?:video|content|feature|page|media|image) (?:is not available|isn't available|"
        r"cannot be|can't be|could not be|is no longer available|is unavailable)\b.*",
    ),
    "we": (r"we(?: and our partners)? use (?:[\w-]+ )?cookies\b.*",),
    "by": (
        r"by (?:clicking|continuing|signing up|subscribing|submitting|using this|registering)\b.*"
        r"(?:agree|accept|consent|acknowledge|terms|privacy|cookies).*",
    ),
    "support": (
        r"support (?:independent|our|quality|local|fearless|free) (?:[\w-]+ ){0,2}"
        r"(?:journalism|reporting|news|newsroom|work)\b.{0,80}",
    ),
    "donate": (r"donate (?:to|now|today|here)\b.{0,80}",),
    "become": (
        r"become (?:a|an) (?:[\w'-]+ ){0,3}(?:member|subscriber|supporter|patron)\b.{0,60}",
    ),
    "already": (r"already (?:a |an |have )?(?:subscri|member|register|account|print)\w*\b.{0,80}",),
    "not": (r"not (?:a |yet )?(?:subscriber|registered|a member)\b.{0,80}",),
    "first-time": (r"first-time (?:subscribers|visitors)\b.{0,120}",),
    "when": (r"when you (?:join|subscribe|sign up|buy|purchase)\b.*",),
    "if": (
        r"if you(?:'re| are) (?:seeing this|already a (?:subscriber|member)|"
        r"on the .{2,40} app)\b.*",
        r"if you (?:have|'ve) (?:a |any )?(?:news )?(?:tips?|stor(?:y|ies)) .{0,120}",
    ),
    "want": (
        r"want to (?:bookmark|read|save|share|comment)\b.*(?:subscri|sign up|member|log ?in).*",
        r"want (?:more|the latest|to read more|unlimited|smart)\b.*"
        rf"(?:{_MEDIUM}|sign up|subscribe).*",
        r"want to read more",
    ),
    "thank": (r"thank you for (?:reading|subscribing|signing up|visiting)\b.{0,60}",),
    "thanks": (r"thanks for (?:reading|subscribing|signing up|visiting)\b.{0,60}",),
    "have": (r"have (?:a |an |any )?(?:news |story )?tips?\b.{0,100}",),
    "got": (r"got (?:a |any )?(?:news |story )?tips?\b.{0,100}",),
    "send": (r"send (?:us )?(?:your )?(?:news )?tips?\b.{0,80}",),
    "feel": (r"feel free to (?:send|contact|email)\b.{0,80}",),
    "email": (
        r"e?-?mail (?:us|me|the (?:author|writer|reporter))\b.{0,60}",
        r"email:? ?[\w'. ]{0,40}\S+@\S+",
    ),
    "read": (
        r"read(?: more| next| also)?(?: (?:here|on))? ?[:|»>].{0,160}",
        r"read (?:more|the (?:full|rest|whole|entire|original|latest))\b"
        r" (?:about|at|from|here|of|on|in|story|article|stories|news|report|interview|"
        r"post|column|piece|op-ed|text|transcript|statement|coverage)\b.{0,120}",
        r"read also .{0,120}",
    ),
    "also": (r"also (?:read|see|watch|on)\b ?[:|»>-].{0,160}", r"also read .{0,120}"),
    "see": (r"see (?:also|more|related|more news|full coverage) ?[:|»>].{0,160}",),
    "more": (
        r"more ?[:|»>].{0,160}",
        r"more (?:from|on|about) [\w'&. ]{2,40}[:|»>].{0,120}",
        r"more (?:from|on|in|by) (?:the |this )?[\w'&.]+(?: [\w'&.]+){0,4}",
    ),
    "related": (
        r"related(?: (?:stor(?:y|ies)|articles?|news|links?|video|coverage))? ?[:|»>].{0,200}",
    ),
    "watch": (
        r"watch(?: (?:more|live|now|also|next|the video))? ?[:|»>].{0,160}",
        r"watch the (?:full )?(?:video|interview|clip|segment|livestream|report) "
        r"(?:above|below|here)\b.{0,80}",
    ),
    "listen": (
        r"listen(?: (?:now|here|live|more))? ?[:|»>].{0,160}",
        r"listen to the (?:podcast|episode|full)\b.{0,80}",
    ),
    "video": (r"video ?[:|»>].{0,160}", r"video (?:by|courtesy(?: of)?|credit) .{2,80}"),
    "gallery": (r"gallery ?[:|»>].{0,160}",),
    "don't": (r"don't miss(?: (?:it|out|this|these))?(?: ?[:|»>!].{0,160})?",),
    "dont": (r"dont miss ?[:|»>].{0,160}",),
    "must": (r"must[- ](?:read|see|watch) ?[:|»>].{0,160}",),
    "recommended": (r"recommended ?[:|»>].{0,160}",),
    "trending": (r"trending ?[:|»>].{0,160}",),
    "tags": (r"tags? ?[:|»>].{0,200}",),
    "topics": (r"topics? ?[:|»>].{0,200}",),
    "filed": (r"filed under ?[:|»>]?.{0,120}",),
    "posted": (r"posted (?:in|under) ?[:|»>]?.{0,80}",),
    "show": (r"show (?:all|more|less|\d+)(?: \d+| comments| stories| news| photos)*",),
    "view": (
        r"view (?:all|more|full|the|our) (?:\d+ )?"
        r"(?:comments?|stories|photos|gallery|archive|images)\b.{0,40}",
    ),
    "load": (r"load more\b.{0,30}",),
    "share": (r"share (?:this )?(?:on|via|to) [\w ]{1,20}",),
    "síguenos": (rf"síguenos en {_PLATFORM}.*",),
    "suivez-nous": (rf"suivez-nous sur {_PLATFORM}.*",),
    "folgen": (rf"folgen sie uns auf {_PLATFORM}.*",),
    "seguici": (rf"seguici su {_PLATFORM}.*",),
    "suscríbete": (r"suscríbete a .{2,60}",),
    "skip": (r"skip (?:to|advert|ad|past)\b.{0,60}",),
    "end": (
        r"end of (?:twitter post|youtube post|facebook post|instagram post|article|story).{0,60}",
    ),
    "copyright": (
        r"copyright\b.{0,20}\d{4}.{0,200}",
        r"copyright (?:©|\(c\)|by|of|the) .{2,160}",
    ),
    "©": (r"©.{0,250}",),
    "(c)": (r"\(c\) ?(?:copyright )?\d{4}.{0,200}",),
    "all": (r"all (?:rights|content|images?)\b.{0,40}(?:reserved|copyright).{0,100}",),
    "image": (
        r"images? ?(?:source|copyright|caption|credits?)\b ?:?.{0,200}",
        r"images? (?:by|courtesy(?: of)?|via) .{2,80}",
        r"images? ?:.{2,120}",
    ),
    "images": (r"images? ?(?:by|:|courtesy(?: of)?|via|source|copyright)\b.{2,100}",),
    "media": (r"media (?:caption|playback is unsupported)\b.{0,250}",),
    "source": (
        r"source ?: ?(?:getty|shutterstock|istock|alamy|"
        r"facebook|twitter|instagram|youtube)\b.{0,60}",
    ),
    "advertisement": (
        r"advertisement(?: advertisement)*",
        r"advertisement\b.{0,60}(?:continu|below|scroll|reading|story).{0,60}",
    ),
    "article": (r"article continues (?:below|after)\b.{0,60}",),
    "story": (r"story continues? (?:below|after)\b.{0,60}", r"story continued below.{0,40}"),
    "slideshow": (r"slideshow(?: ?\(\d+ images?)?",),
    "enlarge": (r"enlarge this image\b.{0,250}",),
    "reading": (r"reading time ?:? ?\d.{0,30}",),
    "estimated": (r"estimated reading time.{0,40}",),
    "receive": (rf"receive (?:{_OWN}|breaking|the latest)\b.*{_MEDIUM}.*",),
    "stay": (
        rf"stay (?:up[- ]to[- ]date|informed|connected|tuned|in the loop|updated)\b.*"
        rf"(?:{_MEDIUM}|{_PLATFORM}|sign|subscri|follow).*",
    ),
    "never": (r"never miss (?:a|an|our|the|another)\b.*",),
    "for": (
        r"for (?:the latest|more|breaking|all the latest|latest|full)\b.*"
        r"\b(?:download|subscribe|sign up|"
        r"follow us|visit our|click here|like us|join our|newsletter)\b.*",
    ),
    "visit": (r"visit (?:our|the) (?:website|homepage|site|page|facebook)\b.{0,80}",),
    "try": (r"try (?:for )?(?:free|\d+ (?:days|weeks|months))\b.{0,60}",),
    "enter": (r"enter your (?:e-?mail|zip|name)\b.{0,60}",),
    "save": (r"save (?:this|to) (?:article|story|favou?rites|reading list|pocket)\b.{0,40}",),
}
for _kind in ("photo", "photos", "photograph", "photographs", "picture", "pictures", "credit"):
    _RULES[_kind] = (
        rf"{_CREDIT}(?: credits?)? ?(?::|/|\bby\b|\bcredits?\b|courtesy|copyright|©|\|).{{0,120}}",
    )
_COMPILED = {
    word: re.compile("|".join(f"(?:{rule})" for rule in rules)) for word, rules in _RULES.items()
}

_COUNT = re.compile(
    r"\d[\d,. ]*[km]? (?:comments?|shares?|views?|likes?|retweets?|reactions?|replies)"
    r"|\d+[ -]?(?:min(?:ute)?s?|hours?|hrs?|days?|weeks?|months?|years?)[ -]"
    r"(?:read|ago|watch|listen)(?: updated)?"
    r"|(?:an?|one|two|three|\w+) (?:minute|hour|day)s? ago"
    r"|(?:daily|weekly|weekdays?|mornings?|evenings?|every (?:\w+day|day|morning|evening|week))"
    r"(?: at)? \d{1,2}(?::\d\d)? ?(?:[ap]\.?m\.?)?(?: [a-z]{2,4})?"
)
# "Antony Blinken in Geneva. (Photo by A. Name)", "(Getty Images)"
_CAPTION = re.compile(
    rf"(?:.{{0,280}}[ .])?[(\[][^()\[\]]{{0,60}}\b{_AGENCY}\b[^()\[\]]{{0,80}}[)\]]"
    r"|.{0,200}\bgetty images"
)
_NEWSLETTER = re.compile(
    r"(?:(?:a|an|our|the|your|fresh|free|new|daily|weekly|get|exclusive)\b[\w' ,-]{0,40})?"
    r"\b(?:daily|weekly|morning|evening|free|email) (?:e-?mail )?"
    r"(?:newsletter|briefing|digest)\b.{0,140}"
)
_BREADCRUMBS = re.compile(
    r"[\w&' -]{2,30}(?: ?[>›»] ?[\w&' -]{2,60})+|home(?: ?[/|] ?[\w&' -]{2,30})+"
)
# The beginning of another article: "... a very serious blow was delivered... more"
_TEASER = re.compile(
    r"(?:\.\.\.|…|\[…\]) ?(?:\[|\()?(?:read |see )?more(?:\]|\)| ?[»>→])?$", re.IGNORECASE
)
# An offer that stands where the rest of the report is for subscribers only.
_PAYWALL = re.compile(
    r"to (?:view|read|continue reading|see|access|unlock)\b.*"
    r"\b(?:subscri|log ?in|sign|regist|purchas)"
    r"|(?:subscribe|sign in|log in|register) to (?:read|continue|view|unlock|access)\b"
    r"|this (?:article|story|content) is (?:for|available to|reserved for) "
    r"(?:our )?(?:paying )?(?:subscribers|members)\b"
)
_PITCH = re.compile(
    r"[—–•*-]|.*\b(?:you|your|you're|you'll|our|we|subscri\w*|member\w*|join|log in|sign in)\b"
)
# What stands in a sentence of the report and hardly ever in a promo.
_REPORTED = re.compile(r'"|\b(?:said|says|told|asked|added|according|announced|warned)\b')
_STATEMENT = re.compile(r"[.。।۔][\"'”’»)\]*]*$")
_EDGE = " \t_.,:;!?…-–—|•·*»«>›[]()→↓↑▼▲►▶"
_STRAIGHT = (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("„", '"'), ("«", '"'), ("»", '"'))

# Headings above lists of links to other articles.
TAIL_OPENERS = _listed(
    """
    most read|most popular|most viewed|most shared|trending|trending now|trending stories
    trending news|popular|popular now|popular stories|editor's picks|editors' picks|editors picks
    editor's choice|recommended|recommended for you|recommended stories|recommended articles
    suggested for you|you may also like|you might also like|you may like|more for you
    related|related stories|related articles|related story|related article|related topics
    related content|related news|related links|related coverage|related posts|related videos
    more on this story|more on this topic|more on this|top stories|more top stories|latest news
    latest stories|latest headlines|latest videos|more stories|more news|read also|also read
    read next|up next|around the web|from the web|from our partners|promoted stories|we recommend
    more from around the web|more from the web
    """
)


def is_promo(line: str) -> bool:
    """Is this line, alone, no part of the report? Linear in its length."""
    if len(line) > LONGEST_PROMO:
        return False
    if len(line) > LONGEST_LABEL:
        return _is_order(line) or _is_end(line) or _is_newsletter(line)
    folded = _fold(line)
    if folded in LABELS or not folded:
        return True
    if _is_order(line) or _is_button_row(folded) or _is_crumbs(line, folded):
        return True
    if folded[0].isalnum() and _COUNT.fullmatch(folded):
        return True
    return _is_end(line) or _is_newsletter(line)


def promo_lines(lines: Sequence[str]) -> list[bool]:
    """For each line of an article: is it no part of the report?

    Beyond `is_promo`, a list of links at the end under a heading such as "Most read", and a tail
    of short lines that is mostly promo ("poster", the newsletter's name, "Show more news").
    """
    found = [is_promo(line) for line in lines]
    tail = _tail_start(lines, found)
    for number in [*_pitch(lines), *range(tail, len(lines))]:
        found[number] = True
    return found


def is_prose(line: str) -> bool:
    """Does it read like a sentence of a report?"""
    return len(line) >= SHORTEST_PROSE and ends_sentence(line)


def _tail_start(lines: Sequence[str], promo: Sequence[bool]) -> int:
    """Where the lines after the report begin; len(lines): there are none."""
    end = len(lines)
    last = end
    while last and not _is_report(lines[last - 1], promo[last - 1]):
        last -= 1
    for number in range(max(last, 1), end):
        if _fold(lines[number]) in TAIL_OPENERS:
            return number
    first = next((number for number in range(max(last, 1), end) if promo[number]), end)
    others = [
        line for line, is_promo in zip(lines[first:], promo[first:], strict=True) if not is_promo
    ]
    if 3 * len(others) <= end - first and all(len(line) <= LONGEST_LABEL for line in others):
        return first
    return end


def _pitch(lines: Sequence[str]) -> range:
    """The lines of an offer to subscribers that ends the text."""
    for number, line in enumerate(lines[1:], start=1):
        if len(line) <= LONGEST_PROMO and line[:1] in "TtSsLlRr":
            folded = _fold(line)
            if _PAYWALL.match(folded) and not _REPORTED.search(folded):
                rest = lines[number + 1 :]
                if len(rest) <= LONGEST_PITCH and all(map(_is_pitch, rest)):
                    return range(number, len(lines))
    return range(0)


def _is_pitch(line: str) -> bool:
    folded = line.translate({0x2019: "'"}).casefold()
    return _PITCH.match(folded) is not None and not _REPORTED.search(folded)


def _is_report(line: str, promo: bool) -> bool:
    """A sentence, however short: a quotation's last may be. A question may be a link's text."""
    return not promo and (
        len(line) > LONGEST_PROMO
        or is_prose(line)
        or _STATEMENT.search(line, max(0, len(line) - 8)) is not None
    )


def _fold(line: str) -> str:
    """Casefolded, with straight quotes and no punctuation at the ends."""
    if not line.isascii():
        for curly, straight in _STRAIGHT:
            line = line.replace(curly, straight)
    return line.casefold().strip(_EDGE)


def _is_order(line: str) -> bool:
    """Does one of the rules for the line's first word take the whole line?"""
    first = _fold(line[:LONGEST_FIRST_WORD]).split(None, 1)
    rules = _COMPILED.get(first[0].rstrip(":|,;-")) if first else None
    if not rules:
        return False
    folded = _fold(line)
    return rules.fullmatch(folded) is not None and not _REPORTED.search(folded)


def _is_button_row(folded: str) -> bool:
    if folded.split(None, 1)[0].rstrip(":|,/") not in _SHARING:
        return False
    words = re.findall(r"[a-z+-]+|\d+", folded)
    spoken = [word for word in words if not word.isdigit()]
    return (
        len(words) > 1
        and all(word in _BUTTON_WORDS for word in spoken)
        and 2 * sum(word in _SHARING for word in spoken) > len(spoken)
    )


def _is_crumbs(line: str, folded: str) -> bool:
    if not (">" in line or "›" in line or "»" in line or folded.startswith("home")):
        return False
    return _BREADCRUMBS.fullmatch(folded) is not None


def _is_end(line: str) -> bool:
    """Does its end say that it is a caption, or the beginning of another article?"""
    end = line[-1]
    if end in ")]sS" and _CAPTION.fullmatch(line.casefold()):
        return True
    return end in "eE])»>→" and _TEASER.search(line, max(0, len(line) - 24)) is not None


def _is_newsletter(line: str) -> bool:
    if "ewsletter" not in line and "riefing" not in line and "igest" not in line:
        return False
    folded = _fold(line)
    return _NEWSLETTER.fullmatch(folded) is not None and not _REPORTED.search(folded)
