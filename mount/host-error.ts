/** Something about the host stands in the way. The message is one line for the user that says what to do. */
export class HostError extends Error {
  override name = 'HostError';
}
