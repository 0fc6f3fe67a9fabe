/**
 * What has happened on this host, by the names that Linux has for it (nstat(8); the first word says of which group in
 * /proc/net/snmp or /proc/net/netstat), and where it has none, by one of ours in that manner. Nothing depends on them, so they are not
 * journaled: they begin at 0 with each engine.
 */
export class Counters {
  /** Packets that came by the interface, and their bytes. */
  IpInReceives = 0;
  IpExtInOctets = 0;
  /** Packets that left by the interface, and their bytes. */
  IpOutRequests = 0;
  IpExtOutOctets = 0;
  /** Fragments that came, datagrams made whole, and datagrams given up. */
  IpReasmReqds = 0;
  IpReasmOKs = 0;
  IpReasmFails = 0;
  IcmpInMsgs = 0;
  /** Cut short, or with a wrong checksum. */
  IcmpInErrors = 0;
  IcmpOutMsgs = 0;
  TcpActiveOpens = 0;
  TcpPassiveOpens = 0;
  /** SYN-SENT or SYN-RECEIVED became CLOSED (RFC 4022, tcpAttemptFails). */
  TcpAttemptFails = 0;
  /** ESTABLISHED or CLOSE-WAIT became CLOSED at once (RFC 4022, tcpEstabResets). */
  TcpEstabResets = 0;
  TcpInSegs = 0;
  TcpOutSegs = 0;
  TcpRetransSegs = 0;
  /** Segments that came with a wrong checksum, or lengths that contradict each other. */
  TcpInErrs = 0;
  /** Resets that came, right or wrong. Linux does not count them. */
  TcpInRsts = 0;
  TcpOutRsts = 0;
  TcpExtSyncookiesSent = 0;
  TcpExtSyncookiesRecv = 0;
  TcpExtSyncookiesFailed = 0;
  /** SYNs and last ACKs of handshakes that found their listener full. */
  TcpExtListenDrops = 0;
  /** Retransmission timers that have run out. */
  TcpExtTCPTimeouts = 0;
  /** Losses that duplicate ACKs told of, and that SACK told of. */
  TcpExtTCPRenoRecovery = 0;
  TcpExtTCPSackRecovery = 0;
  /** Segments sent again because of those. */
  TcpExtTCPFastRetrans = 0;
  TcpExtTCPLossProbes = 0;
  TcpExtTCPWinProbe = 0;
  /** Segments whose text was within the window, and found no memory, or not for all of it. */
  TcpExtTCPRcvQDrop = 0;
  TcpExtTCPKeepAlive = 0;
  TcpExtTCPChallengeACK = 0;
  /** Connections whose peer was silent for too long. */
  TcpExtTCPAbortOnTimeout = 0;
  /** Reports that a path has a smaller MTU, and that were believed. */
  TcpExtPathMtuChanges = 0;
  UdpInDatagrams = 0;
  UdpOutDatagrams = 0;
  /** Datagrams that came to a port that nobody has, or whose owner has another peer. */
  UdpNoPorts = 0;
  /** Datagrams that came with a wrong checksum, or lengths that contradict each other. */
  UdpInErrors = 0;
  /** Datagrams that came and found no room to wait in. */
  UdpRcvbufErrors = 0;
}
