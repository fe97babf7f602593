# What native code can do with a file that it may only read, and with memory. Prints what succeeds.
# Arguments: a file, its directory, and the numbers of mmap, io_setup and flock.
use strict;
use Fcntl;
my ($path, $directory, $mmap, $io_setup, $flock) = @ARGV;
open(my $file, '<', $path) or die;
sysopen(my $listed, $directory, O_RDONLY) or die;
# struct flock: a lock for reading of the whole file.
my $lock = pack('s s x4 q q i x4', 0, 0, 0, 0, 0);
my $context = pack('q', 0);
my %attempts = (
  'take a lease' => sub { fcntl($file, 1024, 0) },
  'watch a directory' => sub { fcntl($listed, 1026, 1) },
  'lock a record' => sub { fcntl($file, 6, $lock) },
  'lock a record, and wait' => sub { fcntl($file, 7, $lock) },
  'lock an open file' => sub { fcntl($file, 37, $lock) },
  'lock an open file, and wait' => sub { fcntl($file, 38, $lock) },
  'lock a file' => sub { syscall($flock, fileno($file), 6) == 0 },
  'reserve asynchronous I/O' => sub { syscall($io_setup, 1, $context) == 0 },
  # PROT_READ and PROT_WRITE; MAP_SHARED and MAP_ANONYMOUS.
  'allocate shared memory' => sub { syscall($mmap, 0, 4096, 3, 0x21, -1, 0) != -1 },
);
for my $name (sort keys %attempts) {
  print "$name\n" if $attempts{$name}->();
}
# What Node itself does must go on: private memory, and a shared mapping of a file.
die 'private memory' if syscall($mmap, 0, 4096, 3, 0x22, -1, 0) == -1;
die 'shared file' if syscall($mmap, 0, 4096, 1, 0x01, fileno($file), 0) == -1;
