import { createCipheriv, createHash } from 'node:crypto';

/** Pseudo-random bytes as fast as the processor has them: AES-256-CTR, the same for the same seed. */
export class Keystream {
  readonly #cipher;

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest();
    this.#cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  /** The next `length` bytes. */
  bytes(length: number): Buffer {
    return this.#cipher.update(Buffer.alloc(length));
  }
}
