import { execFileSync } from 'node:child_process';

// Naming the table first makes deleting it right whether or not it is there.
const TABLE = `
table inet resets { }
delete table inet resets
table inet resets {
  counter received { }
  counter sent { }
  counter strays { }
  chain received {
    type filter hook input priority raw
    tcp flags & rst == rst counter name received
    tcp flags & (rst | ack) == rst counter name strays
  }
  chain sent {
    type filter hook output priority raw
    tcp flags & rst == rst counter name sent
    tcp flags & (rst | ack) == rst counter name strays
  }
}
`;

/** Makes nftables count the RSTs that the kernel of this network namespace receives and sends. */
export function countRsts(): void {
  execFileSync('nft', ['-f', '-'], { input: TABLE });
}

/** How many RSTs there were since `countRsts`. */
export function rsts(): { received: number; sent: number } {
  const packets = readCounters();
  return { received: packets('received'), sent: packets('sent') };
}

/**
 * How many of them ended no connection: without ACK they answer a segment that belongs to none (RFC 9293 section 3.10.7.1). A side
 * that has sent its FIN twice, because the other was dead for a while, is done with the first ACK, and answers the second so.
 */
export function strayRsts(): number {
  return readCounters()('strays');
}

function readCounters(): (name: string) => number {
  const output = execFileSync('nft', ['-j', 'list', 'counters', 'table', 'inet', 'resets']);
  const { nftables } = JSON.parse(output.toString()) as {
    nftables: { counter?: { name: string; packets: number } }[];
  };
  return (name) => nftables.find(({ counter }) => counter?.name === name)!.counter!.packets;
}
