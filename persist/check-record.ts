import { crc32 } from 'node:zlib';
import { DataFileDamage } from './data-file.ts';
import { Facts } from './facts.ts';
import { CHECKSUM_LENGTH, isFacts, KEY_LENGTH, nameOfKey } from './layout.ts';

/**
 * What a record holds behind its checksum.
 * @throws DataFileDamage when they do not agree
 */
export function checkRecord(key: Uint8Array, value: Uint8Array): Uint8Array {
  if (key.length !== KEY_LENGTH) throw new DataFileDamage('a record has a wrong key');
  if (value.length < CHECKSUM_LENGTH) throw new DataFileDamage(`${nameOfKey(key)} is too short`);
  const checksum = new DataView(value.buffer, value.byteOffset).getUint32(0);
  const payload = value.subarray(CHECKSUM_LENGTH);
  if (crc32(payload, crc32(key)) !== checksum)
    throw new DataFileDamage(`the checksum of ${nameOfKey(key)} is wrong`);
  if (isFacts(key) && payload.length !== Facts.LENGTH)
    throw new DataFileDamage('the facts have a wrong length');
  return payload;
}
