import { type IpAddress, parseAddress } from '../../tcp/address.ts';

/** A row of the policy table in RFC 6724 section 2.1. */
interface Policy {
  readonly precedence: number;
  readonly label: number;
}

const IPV4: Policy = { precedence: 35, label: 4 };
const SIX_TO_FOUR: Policy = { precedence: 30, label: 2 };
const TEREDO: Policy = { precedence: 5, label: 5 };
const UNIQUE_LOCAL: Policy = { precedence: 3, label: 13 };
const ANY: Policy = { precedence: 40, label: 1 };

/**
 * The addresses of a host in the order in which they should be tried: rules 1, 5 and 6 of RFC 6724 section 6, the only ones
 * that matter to who has one address of each version. Among equals the order stays.
 * @param own the IPv6 address that packets would come from, if there is one
 */
export function inOrder(addresses: readonly string[], own: string | undefined): string[] {
  const source = own === undefined ? undefined : parseAddress(own);
  return addresses
    .map((text) => ({ text, rank: rank(parseAddress(text)!, source) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ text }) => text);
}

/** The less, the better. */
function rank(address: IpAddress, source: IpAddress | undefined): number {
  const { precedence, label } = policyOf(address);
  if (address.isIpv4) return -precedence;
  if (source === undefined) return 2000 - precedence;
  return (label === policyOf(source).label ? 0 : 1000) - precedence;
}

function policyOf({ isIpv4, word0 }: IpAddress): Policy {
  if (isIpv4) return IPV4;
  if (word0 >>> 16 === 0x2002) return SIX_TO_FOUR;
  if (word0 === 0x20010000) return TEREDO;
  return word0 >>> 25 === 0xfc >>> 1 ? UNIQUE_LOCAL : ANY;
}
