import { execFileSync } from 'node:child_process';

// Naming the table first makes deleting it right whether or not it is there.
const TABLE = `
table inet resets { }
delete table inet resets
table inet resets {
  counter received { }
  counter sent { }
  chain received {
    type filter hook input priority raw
    tcp flags & rst == rst counter name received
  }
  chain sent {
    type filter hook output priority raw
    tcp flags & rst == rst counter name sent
  }
}
`;

/** Makes nftables count the RSTs that the kernel of this network namespace receives and sends. */
export function countRsts(): void {
  execFileSync('nft', ['-f', '-'], { input: TABLE });
}

/** How many RSTs there were since `countRsts`. */
export function rsts(): { received: number; sent: number } {
  const output = execFileSync('nft', ['-j', 'list', 'counters', 'table', 'inet', 'resets']);
  const { nftables } = JSON.parse(output.toString()) as {
    nftables: { counter?: { name: string; packets: number } }[];
  };
  const packets = (name: string) =>
    nftables.find(({ counter }) => counter?.name === name)!.counter!.packets;
  return { received: packets('received'), sent: packets('sent') };
}
