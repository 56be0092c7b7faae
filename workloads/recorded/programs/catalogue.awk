# Writes a catalogue of books as XML; the same one with every awk, for the random numbers are its own.
function random(n) { seed = (seed * 16807) % 2147483647; return seed % n }
function text(least, most,    i, line) {
  line = word[random(400)]
  for (i = least + random(most - least + 1); i > 1; i--) line = line " " word[random(400)]
  return line
}
BEGIN {
  seed = 12345
  for (i = 0; i < 400; i++) for (j = 2 + random(8); j > 0; j--) word[i] = word[i] substr("abcdefghijklmnopqrstuvwxyz", 1 + random(26), 1)
  print "<?xml version=\"1.0\"?>\n<catalogue xmlns:x=\"urn:example\">"
  for (i = 0; i < 6200; i++) {
    printf "<book id=\"b%d\" x:lang=\"%s\"><author>%s</author><title>%s</title>", i, i % 3 ? "en" : "fr", text(2, 2), text(1, 7)
    printf "<price currency=\"EUR\">%d.%02d</price>", 1 + random(90), random(100)
    for (j = random(6); j > 0; j--) printf "<tag>%s</tag>", text(1, 1)
    printf "<about>%s</about></book>\n", text(3, 40)
  }
  print "</catalogue>"
}
