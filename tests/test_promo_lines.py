"""Lines of a page that are no report are known by their shape; sentences are left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.promo_lines import is_promo, promo_lines

PROMO = """\
Video of day
Follow us on Twitter, Facebook and Google News
Follow @nutgraf
Like us on Facebook
poster
X
Share
Share Tweet Print Email
Facebook | Twitter | WhatsApp
Share 125
Share on X
Síguenos en Facebook y X
Publicidad
12 Comments
5 min read
9 Hrs Ago
Advertisement
ADVERTISEMENT - CONTINUE READING BELOW
Story continues below advertisement
Article continues after sponsor message
Read more: Ferry fares rise
READ MORE: Ferry fares rise
Also read: Ferry fares rise
Also read
Related: Ferry fares rise
MORE: Ferry fares rise
See also: the harbour in pictures
Sign up for our newsletter
Sign up for our daily newsletter and never miss a story
Subscribe to Metro Times newsletters.
Subscribe now to our e-edition for the full story.
Subscribe to Courier Premium to bookmark this article
Click here to subscribe
Get breaking news alerts in your inbox
Fresh daily newsletter covering the top headlines and developments in Ukraine
Daily at 9am EST
Show more news
We use cookies to give you the best experience on our site.
By signing up, you agree to our privacy policy
Support independent journalism
Most read
Trending
Loading...
Skip to content
Home > News > World
Home / News / World
Photo: Reuters
Photo by Jane Doe
Photograph: Jane Doe/The Courier
(Getty Images)
Ferry at the quay on Friday. (Picture by Jane Doe)
Ferry at the quay on Friday. (AP Photo/Jane Doe)
Image source, Getty Images
Image copyright Reuters Image caption The ferry at the quay
Media playback is unsupported on your device
Enlarge this image toggle caption Jane Doe/AP
Slideshow (2 Images)
© 2022 The Courier. All rights reserved.
Copyright 2022 The Courier. All rights reserved. This material may not be published.
Already a subscriber? Log in
If you’re on the Courier app, click here to watch live
For the latest news download the Courier apps for iOS and Android.
A very serious blow was delivered... more
Thank you for reading
___
"""

REPORT = """\
“Follow us on Twitter,” the mayor told the crowd.
The mayor asked them to follow the council on Twitter.
Follow the money on Facebook, prosecutors said, and you will find the ferry company.
Facebook shares fell 3 per cent.
Twitter said on Friday that it would cut 200 jobs.
Share prices rose in Tokyo.
Share price to rise
Print newspapers are dying.
Email scams are on the rise.
Picture the scene: a village at dusk.
Photographs of the scene showed three cars.
Sign up for our newsletter, the mayor told residents.
The newsletter went to 3,000 subscribers.
Read my lips: no new taxes.
More than 100,000 soldiers stand at the border.
More from the courtroom came on Friday, when two witnesses spoke.
Related charges were dropped.
Watch this space.
By any measure, it was a bad year.
Get out, he shouted.
Support for the bill is growing.
Join the army, they told him.
This site is where the ferry sank.
Home prices fell / and rents rose.
It was loading the last of its cargo.
“It is over.”
Terms were not disclosed.
Year
Nine mths
Shr 12 cts vs 10 cts
What happens next?
Editor’s note: an earlier version gave a wrong date.
The agency (EPA) closed the site. (Reuters)
Alex Isenstadt contributed to this report.
Comment is free, but facts are sacred.
"""


@pytest.mark.parametrize("line", PROMO.splitlines())
def test_a_line_that_is_no_report_is_known(line: str) -> None:
    assert is_promo(line)


@pytest.mark.parametrize("line", REPORT.splitlines())
def test_a_line_of_a_report_is_left_alone(line: str) -> None:
    assert not is_promo(line)


def marked(text: str) -> list[str]:
    lines = text.splitlines()
    return [line for line, promo in zip(lines, promo_lines(lines), strict=True) if promo]


SENTENCE = "The ferry sailed at dawn with two hundred passengers on board, for the first time.\n"


def test_a_list_of_links_below_the_report_goes_with_its_heading() -> None:
    tail = "Most read\nFerry fares rise\nWill the storm return?\nMuseum shows lost map"
    assert marked(SENTENCE + tail) == tail.splitlines()


def test_a_cross_heading_above_more_report_stays() -> None:
    assert marked(f"{SENTENCE}Related\nWhat the council wants\n{SENTENCE}") == ["Related"]


def test_a_tail_that_is_mostly_promo_goes_whole() -> None:
    tail = "Follow us on Twitter\nposter\nIslands Today\nShow more news\nX"
    assert marked(SENTENCE + tail) == tail.splitlines()


def test_short_lines_of_the_report_at_its_end_stay() -> None:
    assert marked(f"{SENTENCE}Share\nNorthport 3, Southport 1\nAtt: 3,000") == ["Share"]


def test_the_last_short_sentence_stays_above_a_tail() -> None:
    assert marked(f"{SENTENCE}“It is over.”\nMost read\nFerry fares rise") == [
        "Most read",
        "Ferry fares rise",
    ]


def test_an_offer_to_subscribers_at_the_end_goes_whole() -> None:
    offer = (
        "To view the full story, please subscribe to The Courier. You can choose a weekly pass.\n"
        "When you join the Courier family, you’ll get unlimited access.\n"
        "— Membership merch"
    )
    assert marked(SENTENCE + offer) == offer.splitlines()


def test_an_offer_does_not_take_the_report_behind_it() -> None:
    offer = "To read the full story, please subscribe."
    assert marked(f"{SENTENCE}{offer}\n{SENTENCE}") == [offer]


@given(st.lists(st.text(min_size=1).map(str.strip).filter(bool)))
def test_any_lines_get_one_answer_each(lines: list[str]) -> None:
    assert len(promo_lines(lines)) == len(lines)


@pytest.mark.parametrize("unit", ["follow us ", "(getty ", "home > ", "a/", "newsletter ", "x > "])
def test_hard_lines_are_quick(unit: str) -> None:
    lines = [(unit * 300)[:length] for length in (79, 80, 299, 300, 3000)] * 40
    began = time.process_time()
    promo_lines(lines)
    assert time.process_time() - began < 2
