# Calls each system call of its arguments (`name=number`), with arguments that no call accepts, and prints those that the filter refused.
# EPERM is 1. A call that the kernel itself refuses with EPERM is among them without a filter too.
for my $argument (@ARGV) {
  my ($name, $number) = split /=/, $argument;
  $! = 0;
  my $result = syscall($number, -1, -1, -1, -1, -1, -1);
  print "$name\n" if $result == -1 && $! == 1;
}
