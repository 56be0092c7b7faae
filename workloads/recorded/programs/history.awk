# Writes a history of edited source files for git fast-import; the random numbers are its own, so it is the same everywhere.
function random(n) { seed = (seed * 16807) % 2147483647; return seed % n }
function line(    i, text) {
  text = word[random(500)]
  for (i = random(9); i > 0; i--) text = text (random(4) ? " " : "_") word[random(500)]
  return "  " text ";\n"
}
function data(text) { printf "data %d\n%s\n", length(text), text }
BEGIN {
  seed = 4321
  for (i = 0; i < 500; i++) for (j = 2 + random(9); j > 0; j--) word[i] = word[i] substr("abcdefghijklmnopqrstuvwxyz", 1 + random(26), 1)
  for (commit = 1; commit <= COMMITS; commit++) {
    printf "commit refs/heads/main\ncommitter Ada <ada@example.org> %d +0000\n", 1000000000 + commit * 3600
    data("Change " commit ": " word[random(500)])
    for (edits = 1 + random(4); edits > 0; edits--) {
      name = sprintf("part%d/file%d.cc", random(7), int(random(60) * random(60) / 60))
      lines = count[name]
      if (lines == 0) for (goal = 150 + random(900); lines < goal; lines++) body[name, lines] = line()
      for (changes = 1 + random(6); changes > 0; changes--) {
        if (random(3) == 0) body[name, lines++] = line()
        else body[name, random(lines)] = line()
      }
      count[name] = lines
      text = ""
      for (i = 0; i < lines; i++) text = text body[name, i]
      printf "M 100644 inline %s\n", name
      data(text)
    }
  }
}
