/** How long a peer is silent before it is asked, milliseconds: "no less than two hours" (RFC 9293 section 3.8.4). */
export const DEFAULT_KEEPALIVE_IDLE = 2 * 3600_000;
/** Between questions that are not answered: Linux's net.ipv4.tcp_keepalive_intvl. */
export const DEFAULT_KEEPALIVE_INTERVAL = 75_000;
/** So many go unanswered before the connection ends: Linux's net.ipv4.tcp_keepalive_probes. */
export const DEFAULT_KEEPALIVE_COUNT = 9;
