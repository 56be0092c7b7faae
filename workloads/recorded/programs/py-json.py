"""Reads a large JSON document, changes it and writes it again, three times: the live set rises and falls with each round."""
import json
import random

ROUNDS = 3
ORDERS = 650

rng = random.Random(1)
streets = ["mill lane", "high street", "station road", "church walk", "park avenue", "the green", "north end"]


def order(number):
    items = [
        {"sku": f"{rng.randrange(10**7):07d}", "count": rng.randint(1, 12), "price": round(rng.uniform(0.5, 400), 2)}
        for _ in range(rng.randint(0, 6))
    ]
    return {
        "order": number,
        "customer": {"name": rng.choice(streets).title() + str(number % 97), "mail": f"c{number}@example.org"},
        "address": {"street": f"{rng.randint(1, 400)} {rng.choice(streets)}", "code": f"{rng.randint(0, 99999):05d}"},
        "items": items,
        "paid": rng.random() < 0.7,
        "note": " ".join(rng.choices(streets, k=rng.randint(0, 25))) or None,
    }


document = json.dumps([order(number) for number in range(ORDERS)])
for turn in range(ROUNDS):
    orders = [one for one in json.loads(document) if rng.random() < 0.92]
    for one in orders:
        if not one["paid"]:
            one["items"].append({"sku": "reminder", "count": 1, "price": 2.5 * turn})
        if one["note"] and rng.random() < 0.5:
            one["note"] = one["note"].title()
    by_region = {}
    for one in orders:
        by_region.setdefault(one["address"]["code"][:2], []).append(one)
    for region in by_region.values():
        region.sort(key=lambda one: sum(item["price"] * item["count"] for item in one["items"]))
    document = json.dumps([one for region in by_region.values() for one in region], indent=1 if turn == 0 else None)
print(len(document))
