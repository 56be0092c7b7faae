"""A web service in one process: routing, sessions, a cache of pages, searches; the traffic changes twice."""
import collections
import json
import random
import re
import string
from urllib.parse import parse_qs, urlencode, urlsplit

PHASES = (  # requests, then the shares of pages, baskets and searches; what is left asks the interface
    (1300, 0.65, 0.15, 0.1),
    (900, 0.2, 0.25, 0.1),
    (900, 0.1, 0.1, 0.15),
)
PAGES = 360
SESSIONS = 550

rng = random.Random(2)
words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 11))) for _ in range(2800)]
page = string.Template("<!doctype html><title>$title</title><h1>$title</h1><ul>$points</ul><article>$text</article>")


class Session:
    def __init__(self, key):
        self.key, self.basket, self.seen, self.facts = key, {}, [], {}


class Recent(collections.OrderedDict):
    """Keeps the entries that were used last."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def fetch(self, key, make):
        if key in self:
            self.move_to_end(key)
            return self[key]
        value = self[key] = make()
        while len(self) > self.room:
            self.popitem(last=False)
        return value


pages, sessions, log = Recent(PAGES), Recent(SESSIONS), collections.deque(maxlen=1800)


def show(session, match, _query):
    def make():
        points = "".join(f"<li>{word}</li>" for word in rng.choices(words, k=9))
        return page.substitute(title="No. " + match[1], points=points, text=" ".join(rng.choices(words, k=rng.randint(15, 130))))

    session.seen = (session.seen + [int(match[1])])[-25:]
    return pages.fetch("page " + match[1], make)


def basket(session, match, _query):
    session.basket[match[1]] = session.basket.get(match[1], 0) + 1
    return json.dumps({"who": session.key, "basket": session.basket})


def search(session, _match, query):
    part = query["q"][0][:2]
    session.facts["found"] = found = [word for word in words[:500] if part in word][:25]
    return json.dumps({"query": query, "found": found})


def interface(_session, match, _query):
    rows = [{"word": word, "weight": rng.random()} for word in rng.choices(words, k=rng.randint(1, 24))]
    answer = json.dumps({"kind": match[1], "number": int(match[2]), "rows": rows})
    pages.fetch((match[1], match[2]), lambda: json.loads(answer))
    return answer


routes = [
    (re.compile(r"/page/(\d+)"), show),
    (re.compile(r"/basket/(\w+)"), basket),
    (re.compile(r"/search"), search),
    (re.compile(r"/data/(\w+)/(\d+)"), interface),
]


def request(phase):
    _, shows, baskets, searches = PHASES[phase]
    kind = rng.random()
    if kind < shows:
        path = f"/page/{int(rng.paretovariate(0.55)) % 15000}"
    elif kind < shows + baskets:
        path = f"/basket/{rng.choice(words)}"
    elif kind < shows + baskets + searches:
        path = "/search?" + urlencode({"q": rng.choice(words), "from": rng.randint(0, 90)})
    else:
        path = f"/data/{rng.choice(words)}/{rng.randrange(100000)}"
    who = f"{(int(rng.paretovariate(0.6)) * 2654435761 + phase * 977) % 2**32:08x}"
    return f"GET {path} HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nCookie: id={who}\r\n\r\n"


def answer(raw):
    line, *fields = raw.split("\r\n")
    header = dict(field.split(": ", 1) for field in fields if field)
    url = urlsplit(line.split(" ")[1])
    key = header["Cookie"].removeprefix("id=")
    session = sessions.fetch(key, lambda: Session(key))
    for pattern, handler in routes:
        match = pattern.fullmatch(url.path)
        if match:
            return handler(session, match, parse_qs(url.query))
    raise LookupError(url.path)


total = 0
for phase, (count, *_) in enumerate(PHASES):
    for _ in range(count):
        raw = request(phase)
        reply = answer(raw)
        total += len(reply)
        log.append((phase, raw.split("\r\n")[0], len(reply)))
print(total, len(sessions), len(pages))
