/**
 * Packets that Linux 6.18 made: one host in each of two network namespaces, a TUN device in each (without virtio headers,
 * so with whole checksums), and a program between the two that copied packets and dropped one. tcpdump -v calls every
 * checksum correct.
 */
export const KERNEL_PACKETS = {
  syn: '4500003cf891400040062e1a0a0700010a070002ae2e2328a9a2e03c00000000a002faf033620000020405b40402080a0215a84e000000000103030a',
  synAck:
    '4500003c00004000400626ac0a0700020a0700012328ae2ef373b978a9a2e03da012fe882e220000020405b40402080a8c3fc86a0215a84e0103030a',
  /** "hello, world\n", an odd number of bytes. */
  data: '45000041f893400040062e130a0700010a070002ae2e2328a9a2e03df373b9798018003f10da00000101080a0215a84e8c3fc86a68656c6c6f2c20776f726c640a',
  /** With one SACK block, for [SND.UNA + 100, SND.UNA + 200) as the sender of the data counts. */
  sack: '450000406a1d40004006bc8a0a0700020a0700012328ae2ef373b979a9a2e04ab01000400f9600000101080a8c3fc8e30215a84e0101050aa9a2e0aea9a2e112',
  fin: '45000034f898400040062e1b0a0700010a070002ae2e2328a9a2e176f373b9798011003f586e00000101080a0215a9548c3fc8f7',
  rst: '450000346a2140004006bc920a0700020a0700012328ae2ef373b979a9a2e17780140040578c00000101080a8c3fc9d40215a954',
  udp: '4500001e97b5400040118f090a0700010a070002b8a20009000acab46869',
  /** What `udp` got for an answer: it is quoted. */
  portUnreachable:
    '45c0003adefc0000400186f60a0700020a07000103031129000000004500001e97b5400040118f090a0700010a070002b8a20009000acab46869',
  echo: '45000027c2d64000400163ef0a0700010a0700020800a20a123400076f6464206c656e67746821',
  echoReply: '45000027df140000400187b10a0700020a0700010000aa0a123400076f6464206c656e67746821',
} as const;

export type KernelPacket = keyof typeof KERNEL_PACKETS;

export function kernelPacket(name: KernelPacket): Uint8Array {
  return Uint8Array.from(Buffer.from(KERNEL_PACKETS[name], 'hex'));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
