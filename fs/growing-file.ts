import type { Commons } from './commons.ts';
import type { BytesFile } from './file.ts';
import type { GrowingText } from './growing-text.ts';

/** A file to `tail -f`: its size and times follow the text. */
export function growingFile(
  name: string,
  textOf: (commons: Commons) => GrowingText,
): BytesFile<Commons> {
  return {
    name,
    stream: false,
    readAt: (commons, offset, target) => textOf(commons).readAt(offset, target),
    extent: (commons) => {
      const { size, changed: time } = textOf(commons);
      return { size, time };
    },
  };
}
