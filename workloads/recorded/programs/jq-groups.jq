# Groups made-up measurements, describes each group and turns the result round: values are shared, and copied when changed.
def round2: . * 100 | round / 100;
[range(5200) | { id: ., place: "station \(. * 7919 % 61)", kind: (["rain", "wind", "sun"][. % 3]), value: ((. * 104729 % 10007) / 13) }]
| group_by(.place)
| map({
    place: .[0].place,
    kinds: (group_by(.kind) | map({ key: .[0].kind, value: { count: length, mean: (map(.value) | add / length | round2), top: (sort_by(-.value) | .[:4] | map(.id)) } }) | from_entries),
    line: (map("\(.id):\(.value | floor)") | join(","))
  })
| map(select(.kinds | length > 1) | .line |= (split(",") | map(select(test("7"))) | join(" ")))
| to_entries | map(.value + { rank: .key }) | sort_by(.line | length) | tojson | fromjson | length
