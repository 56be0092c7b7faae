"""Digits of pi by Gosper's series, factorials and a power: integers that grow, and with them the blocks."""


def digits(count):
    """Gibbons, Unbounded spigot algorithms for the digits of pi (2006), by Gosper's series."""
    q, r, t, i = 1, 180, 60, 2
    for _ in range(count):
        u, y = 3 * (3 * i + 1) * (3 * i + 2), (q * (27 * i - 12) + 5 * r) // (5 * t)
        yield y
        q, r, t, i = 10 * q * i * (2 * i - 1), 10 * u * (q * (5 * i - 2) + r - y * t), t * u, i + 1


first = "".join(map(str, digits(1600)))
factorials = [1]
for n in range(1, 680):
    factorials.append(factorials[-1] * n)
choose = [factorials[640] // (factorials[k] * factorials[640 - k]) for k in range(641)]
del factorials
print(first[:15], sum(choose) == 2**640, pow(7, 10**280, 10**190 + 9) % 101)
