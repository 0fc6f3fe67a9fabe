import t from 'tap';
import { Runner } from './scripts/runner.ts';
import { parseScript } from './scripts/script.ts';

const PASSIVE = ['open passive mss 1000'];
const FIN_WAIT_1 = [...PASSIVE, 'shutdown', '> FIN,ACK 1 ack 1'];
const CLOSE_WAIT = [...PASSIVE, '< FIN,ACK 1 ack 1', '> ACK 1 ack 2'];

/** How each state of RFC 9293 section 3.3.2 is reached, in the notation of the scripts. */
const WAY_TO = {
  CLOSED: ['bind 80'],
  LISTEN: ['listen'],
  'SYN-SENT': ['connect', '> SYN 0'],
  'SYN-RECEIVED': ['connect', '> SYN 0', '< SYN 0 mss 1000', '> SYN,ACK 0 ack 1'],
  ESTABLISHED: PASSIVE,
  'FIN-WAIT-1': FIN_WAIT_1,
  'FIN-WAIT-2': [...FIN_WAIT_1, '< ACK 1 ack 2'],
  'CLOSE-WAIT': CLOSE_WAIT,
  CLOSING: [...FIN_WAIT_1, '< FIN,ACK 1 ack 1', '> ACK 2 ack 2'],
  'LAST-ACK': [...CLOSE_WAIT, 'shutdown', '> FIN,ACK 1 ack 2'],
  'TIME-WAIT': [...FIN_WAIT_1, '< FIN,ACK 1 ack 2', '> ACK 2 ack 2'],
} as const;

type StateName = keyof typeof WAY_TO;

/** What a call gives, what leaves, and the state it leads to. */
type Outcome = readonly [result: string, leaves: string, state: StateName | 'gone'];

/** The same state, nothing sent. */
const stays = (result: string, state: StateName): Outcome => [result, '', state];

/**
 * The calls of RFC 9293 sections 3.10.1 to 3.10.5 in every state. Where the RFC says "error", a socket's errno stands; where
 * it is not followed, a comment says why.
 */
const OUTCOMES: Record<StateName, Record<string, Outcome>> = {
  CLOSED: {
    connect: ['ok', '> SYN 0', 'SYN-SENT'],
    'send 10': stays('ENOTCONN', 'CLOSED'),
    'receive 10': stays('ENOTCONN', 'CLOSED'),
    shutdown: stays('ENOTCONN', 'CLOSED'),
    close: ['ok', '', 'gone'],
    abort: ['ok', '', 'gone'],
  },
  LISTEN: {
    // The RFC would make it active. Sockets do not: a listener has connections of others to keep.
    connect: stays('EISCONN', 'LISTEN'),
    'send 10': stays('ENOTCONN', 'LISTEN'),
    // The RFC would queue it; but a listener never becomes the connection.
    'receive 10': stays('ENOTCONN', 'LISTEN'),
    shutdown: stays('ENOTCONN', 'LISTEN'),
    close: ['ok', '', 'gone'],
    abort: ['ok', '', 'gone'],
  },
  'SYN-SENT': {
    connect: stays('EALREADY', 'SYN-SENT'),
    'send 10': stays('10', 'SYN-SENT'),
    'receive 10': stays('0', 'SYN-SENT'),
    shutdown: stays('ENOTCONN', 'SYN-SENT'),
    close: ['ok', '', 'gone'],
    abort: ['ok', '', 'gone'],
  },
  'SYN-RECEIVED': {
    connect: stays('EALREADY', 'SYN-RECEIVED'),
    'send 10': stays('10', 'SYN-RECEIVED'),
    'receive 10': stays('0', 'SYN-RECEIVED'),
    shutdown: ['ok', '> FIN,ACK 1 ack 1', 'FIN-WAIT-1'],
    close: ['ok', '> FIN,ACK 1 ack 1', 'FIN-WAIT-1'],
    abort: ['ok', '> RST,ACK 1 ack 1', 'gone'],
  },
  ESTABLISHED: {
    connect: stays('EISCONN', 'ESTABLISHED'),
    'send 10': ['10', '> ACK 1:11 ack 1', 'ESTABLISHED'],
    'receive 10': stays('0', 'ESTABLISHED'),
    shutdown: ['ok', '> FIN,ACK 1 ack 1', 'FIN-WAIT-1'],
    close: ['ok', '> FIN,ACK 1 ack 1', 'FIN-WAIT-1'],
    abort: ['ok', '> RST,ACK 1 ack 1', 'gone'],
  },
  'FIN-WAIT-1': {
    connect: stays('EISCONN', 'FIN-WAIT-1'),
    'send 10': stays('EPIPE', 'FIN-WAIT-1'),
    'receive 10': stays('0', 'FIN-WAIT-1'),
    // "An 'ok' response would be acceptable, too, as long as a second FIN is not emitted".
    shutdown: stays('ok', 'FIN-WAIT-1'),
    close: stays('ok', 'FIN-WAIT-1'),
    abort: ['ok', '> RST,ACK 2 ack 1', 'gone'],
  },
  'FIN-WAIT-2': {
    connect: stays('EISCONN', 'FIN-WAIT-2'),
    'send 10': stays('EPIPE', 'FIN-WAIT-2'),
    'receive 10': stays('0', 'FIN-WAIT-2'),
    shutdown: stays('ok', 'FIN-WAIT-2'),
    close: stays('ok', 'FIN-WAIT-2'),
    abort: ['ok', '> RST,ACK 2 ack 1', 'gone'],
  },
  'CLOSE-WAIT': {
    connect: stays('EISCONN', 'CLOSE-WAIT'),
    'send 10': ['10', '> ACK 1:11 ack 2', 'CLOSE-WAIT'],
    'receive 10': stays('end', 'CLOSE-WAIT'),
    shutdown: ['ok', '> FIN,ACK 1 ack 2', 'LAST-ACK'],
    close: ['ok', '> FIN,ACK 1 ack 2', 'LAST-ACK'],
    abort: ['ok', '> RST,ACK 1 ack 2', 'gone'],
  },
  CLOSING: {
    connect: stays('EISCONN', 'CLOSING'),
    'send 10': stays('EPIPE', 'CLOSING'),
    'receive 10': stays('end', 'CLOSING'),
    // Closed already: that is no error to whoever wants it closed.
    shutdown: stays('ok', 'CLOSING'),
    close: stays('ok', 'CLOSING'),
    // The RFC sends nothing. But the peer may still wait for bytes that are dropped here.
    abort: ['ok', '> RST,ACK 2 ack 2', 'gone'],
  },
  'LAST-ACK': {
    connect: stays('EISCONN', 'LAST-ACK'),
    'send 10': stays('EPIPE', 'LAST-ACK'),
    'receive 10': stays('end', 'LAST-ACK'),
    shutdown: stays('ok', 'LAST-ACK'),
    close: stays('ok', 'LAST-ACK'),
    abort: ['ok', '> RST,ACK 2 ack 2', 'gone'],
  },
  'TIME-WAIT': {
    connect: stays('EISCONN', 'TIME-WAIT'),
    'send 10': stays('EPIPE', 'TIME-WAIT'),
    'receive 10': stays('end', 'TIME-WAIT'),
    shutdown: stays('ok', 'TIME-WAIT'),
    close: stays('ok', 'TIME-WAIT'),
    abort: ['ok', '', 'gone'],
  },
};

for (const [state, calls] of Object.entries(OUTCOMES)) {
  t.test(state, async (t) => {
    for (const [call, [result, leaves, next]] of Object.entries(calls)) {
      const flow = state === 'LISTEN' ? 'listener.' : '';
      const lines = [
        `title ${call} in ${state}`,
        'source RFC 9293 section 3.10',
        ...WAY_TO[state as StateName],
        `${flow}state ${state}`,
        `${flow}${call} -> ${result}`,
        leaves,
        next === 'gone' ? `${flow}gone` : `${flow}state ${next}`,
      ];
      t.doesNotThrow(() => new Runner(parseScript(state, lines.join('\n'))).run(), call);
    }
  });
}
