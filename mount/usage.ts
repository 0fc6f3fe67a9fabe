export const USAGE = `usage: holdfast mount [MOUNTPOINT] [options]   mount the tree and serve it until SIGINT or SIGTERM
       holdfast umount MOUNTPOINT             unmount it; the connections stay in the store
       holdfast status PATH [--json]          say what serves the mount at PATH, or how a connection or table of it is
       holdfast upgrade MOUNTPOINT            hand over to an engine of the program that is installed now
       holdfast freeze MOUNTPOINT             close the windows of all peers and serve nobody; they and programs wait
       holdfast thaw MOUNTPOINT               serve again
       holdfast hold STORE [options]          answer the peers of a store that nobody serves, until SIGINT or SIGTERM;
                                              with --tap NAME in place of --tun, on Ethernet
       holdfast check STORE [--json]          say what is in a store that nobody uses, and what is wrong with it
       holdfast export MOUNTPOINT|STORE CONNECTION [--forget] > FILE
                                              let go of a connection, which is in the file from then on; or of what is left of it
       holdfast import MOUNTPOINT|STORE [--address CIDR] [--address6 CIDR] < FILE
                                              take it in; a store that is not mounted has to be told its addresses
       holdfast wait CONNECTION STATE... [--timeout SECONDS]
                                              wait until a connection, as net/tcp/chat, is in one of these states
       holdfast nc [--mount MOUNTPOINT] HOST PORT
                                              connect standard input and output with a peer
       holdfast serve [--mount MOUNTPOINT] PORT -- PROGRAM [ARGUMENT...]
                                              run a program for each connection, as its standard input and output
       holdfast --help | --version

MOUNTPOINT is ./net unless given; mount makes it if it does not exist. nc and serve take the only mount there is, if ./net is none.

options of mount:
  --driver NAME          what carries the tree: direct or fuse-native  (direct)
  --allow-other on|off   off: nobody gets in but the user who mounts  (on; fuse-native: off)
  --store DIR            where connections are kept         (MOUNTPOINT.store)
  --address CIDR         the stack's own address            (10.7.0.2/24)
  --host-address CIDR    the host's side of the interface   (10.7.0.1/24)
  --address6 CIDR        the stack's own IPv6 address       (none: no IPv6)
  --host-address6 CIDR   the host's side for IPv6, if the stack has it
  --resolver ADDRESS     the name server to ask             (those of /etc/resolv.conf)
  --tun NAME             the interface's name               (holdfast0)
  --mtu N                bytes of the largest packet        (1500)
  --offload on|off       on: the host finishes checksums and cuts and joins segments  (on)
  --memory SIZE          what all buffers may take together, as 256M or 2G  (an eighth of the host's)
  --user-connections N   how many connections each user may have  (any number)
  --user-buffer-bytes SIZE  what all buffers of one user may take together, as 64M  (as --memory)
  --durability LEVEL     process: survives the death of any process; power: of the host too  (process)
  --accept-rollback      use a store that was copied back: its connections end, listeners and names stay
  --after-crash          use of the store only what was saved for a crash of the host
  --freeze               close the windows of all peers before it unmounts, as for a reboot
  --daemon               go into the background when the tree is ready
  --log-level LEVEL      trace, debug, info, warn, error, fatal or silent  (warn)
  --log-file FILE        append the log to FILE             (standard error; with --daemon MOUNTPOINT.log)
`;

/** A command line that makes no sense; the message is one line for the user. */
export class UsageError extends Error {
  override name = 'UsageError';
}
