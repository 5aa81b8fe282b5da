"""Articles of two stories and one report that stands alone, for whatever tells stories."""

FIRE = (
    "The ferry Petrel caught fire off Tern Island early on Monday, and all 84 passengers were "
    "taken off by lifeboat, the coastguard said.\n\n"
    "The fire on the Petrel broke out in the engine room at about five in the morning. Nobody on "
    "the ferry was hurt, coastguard officer Maren Holt told reporters on Tern Island.\n\n"
    "The Petrel carries passengers and mail between Northport and Tern Island every day."
)
ARTICLES: list[dict[str, str]] = [
    {
        "id": "wire-1",
        "headline": "Ferry Petrel catches fire off Tern Island, passengers rescued",
        "outlet": "Coast Wire",
        "published": "2025-03-10T06:10Z",
        "text": FIRE,
    },
    {  # a copy
        "id": "courier-1",
        "headline": "84 saved from burning ferry",
        "outlet": "Northport Courier",
        "published": "2025-03-10T07:00Z",
        "text": f"{FIRE}\n\nCoast Wire contributed to this report.",
    },
    {  # another report of the same
        "id": "islander-1",
        "headline": "Fire on the Petrel: islanders watched the rescue",
        "outlet": "The Islander",
        "published": "2025-03-10T08:10Z",
        "text": "Islanders woke to the sight of the ferry Petrel on fire off Tern Island on Monday "
        "while a lifeboat took off its passengers.\n\n“We could see the flames on the ferry from "
        "the church,” said baker Olaf Brandt of Tern Island. The coastguard said that all 84 "
        "passengers of the Petrel were safe.",
    },
    {  # what came of it
        "id": "courier-2",
        "headline": "Owner of ferry Petrel ignored two warnings about engine, inspector says",
        "outlet": "Northport Courier",
        "published": "2025-03-12",
        "text": "The owner of the ferry Petrel ignored two written warnings about a leaking fuel "
        "pipe before the fire off Tern Island, inspector Jonas Falk said on Wednesday.\n\n"
        "The ferry Petrel must stay in the dock at Northport until the inquiry ends. Passengers "
        "to Tern Island are carried by a hired boat.",
    },
    {
        "id": "council-1",
        "headline": "Council votes for tram line to Harbour Hill",
        "outlet": "Northport Courier",
        "published": "2025-03-12",
        "text": "Northport council voted by 21 to 18 on Tuesday for the tram line to Harbour Hill."
        "\n\nMayor Liv Aasen said that the tram would cost 64 million crowns, and that the first "
        "tram would climb Harbour Hill in five years.",
    },
    {
        "id": "wire-2",
        "headline": "Northport tram line approved after long debate",
        "outlet": "Coast Wire",
        "published": "2025-03-12",
        "text": "The tram line to Harbour Hill was approved by Northport council late on Tuesday, "
        "by 21 votes to 18.\n\nOpponents of the tram said that mayor Liv Aasen had hidden its "
        "price. The tram to Harbour Hill is to cost 64 million crowns.",
    },
    {
        "id": "museum-3",
        "headline": "Museum shows the lost map",
        "outlet": "The Islander",
        "text": "The island museum shows the map of 1702 that divers found in a wreck.\n\n"
        "Curator Jon Weiss called it the oldest chart of the sound.",
    },
]
