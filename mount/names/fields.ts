/** The fields of each line that has any; `#` begins a comment. */
export function fields(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').split(/\s+/).filter(Boolean))
    .filter((line) => line.length > 0);
}
