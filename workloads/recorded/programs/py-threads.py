"""Four threads hand messages on: blocks are asked for in one thread and given back in another."""
import queue
import random
import threading

MESSAGES = 1500
WORKERS = 2

requests, results = queue.Queue(maxsize=64), queue.Queue(maxsize=64)


def produce():
    rng = random.Random(4)
    for number in range(MESSAGES):
        body = [rng.randrange(10**9) for _ in range(rng.randint(1, 30))]
        requests.put({"number": number, "body": body, "text": "m" * rng.randint(0, 700)})
    for _ in range(WORKERS):
        requests.put(None)


def work():
    while (message := requests.get()) is not None:
        parts = sorted(str(value) for value in message["body"])
        results.put((message["number"], "|".join(parts), message["text"].upper()))
    results.put(None)


def collect():
    recent, ended, length = {}, 0, 0
    while ended < WORKERS:
        result = results.get()
        if result is None:
            ended += 1
            continue
        number, joined, text = result
        recent[number % 500] = (joined, text)
        length += len(joined)
    print(length, len(recent))


threads = [threading.Thread(target=target) for target in (produce, *[work] * WORKERS, collect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
