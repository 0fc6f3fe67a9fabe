import { type Endpoint, type Network, parseEndpoint } from '../tcp/address.ts';
import { ErrnoError } from '../tcp/errno.ts';

/** The most bytes that one write to a text file may have. */
const LONGEST = 65536;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What a program wrote to a text file, without its last newline.
 * @throws ErrnoError EINVAL when it is not UTF-8, EMSGSIZE when it is too long for anything a file understands
 */
export function inputText(source: Uint8Array): string {
  if (source.length > LONGEST) throw new ErrnoError('EMSGSIZE');
  let text: string;
  try {
    text = decoder.decode(source);
  } catch {
    throw new ErrnoError('EINVAL');
  }
  return text.replace(/\r?\n$/, '');
}

/**
 * @param network that it may name
 * @throws ErrnoError EINVAL
 */
export function endpoint(text: string, network: Network = 'tcp'): Endpoint {
  const parsed = parseEndpoint(text.trim(), network);
  if (parsed === undefined) throw new ErrnoError('EINVAL');
  return parsed;
}
