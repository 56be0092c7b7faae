#!/usr/bin/perl
# Reads a made-up log line by line into hashes of arrays, edits it by patterns, sorts and formats reports, forgets old days.
use strict;
use warnings;

my $seed = 99;
sub pick { $seed = ($seed * 16807) % 2147483647; return $seed % $_[0] }

my @paths = map { join '/', '', map { substr('lorem ipsum dolor sit amet', pick(20), 2 + pick(6)) =~ tr/ /-/r } 1 .. 1 + pick(5) } 1 .. 300;
my (%days, @order, $bytes);
for my $day (1 .. 14) {
  my %hits;
  for my $line (1 .. 900) {
    my $text = sprintf '%d.%d.%d.%d - [%02d:%02d] "GET %s?q=%s HTTP/1.1" %d %d',
      (map { pick(256) } 1 .. 4), pick(24), pick(60), $paths[pick(300)], 'x' x pick(90), (200, 200, 304, 404)[pick(4)], pick(50000);
    next unless $text =~ m{^(\S+) - \[(\d+):\d+\] "GET ([^? ]+)\?q=(\S*) HTTP/1\.1" (\d+) (\d+)$};
    my ($host, $hour, $path, $query, $status, $size) = ($1, $2, $3, $4, $5, $6);
    push @{ $hits{$path}{lines} }, { host => $host, hour => $hour, query => length $query ? $query : undef };
    $hits{$path}{bytes} += $size if $status != 404;
  }
  my @report = map { sprintf '%-40s %8d %5d', $_, $hits{$_}{bytes} // 0, scalar @{ $hits{$_}{lines} } }
    sort { ($hits{$b}{bytes} // 0) <=> ($hits{$a}{bytes} // 0) || $a cmp $b } keys %hits;
  $days{$day} = { hits => \%hits, report => join("\n", @report) };
  push @order, $day;
  delete $days{ shift @order } if @order > 3;
  s/(\d+)/<$1>/g for values %{ { map { $_ => $days{$_}{report} } keys %days } };
  $bytes += length $days{$day}{report};
}
print "$bytes\n";
