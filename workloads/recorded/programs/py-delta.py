"""A network of one-way constraints, binary trees and five bodies: short lives and few sizes."""
import random

rng = random.Random(3)


class Cell:
    __slots__ = ("value", "rules", "source", "seen")

    def __init__(self, value):
        self.value, self.rules, self.source, self.seen = value, [], None, 0


class Rule:
    def __init__(self, inputs, output, compute):
        self.inputs, self.output, self.compute = inputs, output, compute


class Network:
    def __init__(self):
        self.wave = 0

    def add(self, rule):
        for cell in (*rule.inputs, rule.output):
            cell.rules.append(rule)
        rule.output.source = rule
        self.spread(rule)

    def remove(self, rule):
        for cell in (*rule.inputs, rule.output):
            cell.rules.remove(rule)
        rule.output.source = None

    def spread(self, first):
        """Computes what depends on a rule, each cell once."""
        self.wave += 1
        waiting = [first]
        while waiting:
            rule = waiting.pop()
            if rule.output.seen == self.wave:
                continue
            rule.output.seen = self.wave
            rule.output.value = rule.compute(*[cell.value for cell in rule.inputs])
            waiting += [other for other in rule.output.rules if rule.output in other.inputs and other.output.source is other]


def chain(length):
    network, cells = Network(), [Cell(0.0) for _ in range(length)]
    for left, right in zip(cells, cells[1:]):
        network.add(Rule((left,), right, lambda value: value * 0.5 + 1.25))
    for turn in range(55):
        edit = Rule((), cells[0], lambda turn=turn: turn / 3)
        network.add(edit)
        network.remove(edit)
    return cells


kept = []
for turn in range(6):
    kept = [*kept[-2:], chain(110 + 30 * turn)]


def tree(depth):
    return (tree(depth - 1), tree(depth - 1)) if depth else ()


def nodes(root):
    return 1 + sum(map(nodes, root))


old = tree(12)
young = sum(nodes(tree(depth)) for depth in (3, 5, 7, 9) for _ in range(1 << (11 - depth)))

bodies = [[rng.uniform(-1, 1) for _ in range(6)] for _ in range(5)]
for _ in range(2200):
    for i, one in enumerate(bodies):
        for other in bodies[:i]:
            dx, dy, dz = (a - b for a, b in zip(one[:3], other))
            pull = 0.008 / (dx * dx + dy * dy + dz * dz + 0.1) ** 1.5
            for axis, distance in ((3, dx), (4, dy), (5, dz)):
                one[axis] -= distance * pull
                other[axis] += distance * pull
    for one in bodies:
        for axis in range(3):
            one[axis] += 0.01 * one[axis + 3]
print(nodes(old), young, len(kept), bodies[0][0])
