import koffi from 'koffi';
import { monotonicNow } from '../persist/clock.ts';
import { assert } from '../tcp/assert.ts';

const libuv = koffi.load(null);
const uvDefaultLoop = libuv.func('void *uv_default_loop()');
const uvHandleSize = libuv.func('size_t uv_handle_size(int type)');
const uvPollInit = libuv.func('int uv_poll_init(void *loop, void *handle, int descriptor)');
const uvPollStop = libuv.func('int uv_poll_stop(void *handle)');
const uvPollStart = libuv.func('int uv_poll_start(void *handle, int events, void *callback)');
const uvTimerInit = libuv.func('int uv_timer_init(void *loop, void *handle)');
const uvTimerStart = libuv.func('uv_timer_start', 'int', [
  'void *',
  'void *',
  'uint64_t',
  'uint64_t',
]);
const uvTimerStop = libuv.func('int uv_timer_stop(void *handle)');
const uvUnref = libuv.func('void uv_unref(void *handle)');
const uvClose = libuv.func('void uv_close(void *handle, void *callback)');
const uvUpdateTime = libuv.func('void uv_update_time(void *loop)');

/**
 * A native function that does nothing, as far as libuv can tell: it takes no arguments and returns a number. The event
 * only has to end the wait; what came is found out by the turn that follows, by reading.
 */
const NOTHING: bigint = libuv.symbol('uv_version');

/** enum uv_handle_type and uv_poll_event, from uv.h. */
const UV_POLL = 8;
const UV_TIMER = 13;
const UV_READABLE = 1;

/** A later deadline makes for a turn with nothing to do, every 24 days. */
const LONGEST_DELAY = 0x7fff_ffff;

/** For how long turns that are wanted at once follow one another, in milliseconds, before Node's loop goes round, which takes longer than a small turn. */
const LONGEST_ROW = 1;

/**
 * Waits for descriptors and deadlines in Node's own event loop, and runs a turn after each of its iterations. Promises, timers and
 * signals of Node go on as ever.
 *
 * libuv keeps the loop alive while it polls a descriptor. The turn is an unreferenced `setImmediate`: it runs after every
 * wait, and does not keep the wait from happening.
 */
export class Readiness {
  readonly #turn: () => void;
  readonly #loop: bigint = uvDefaultLoop();
  readonly #timer: bigint;
  readonly #polls: bigint[] = [];
  #immediate: NodeJS.Immediate;
  #deadline = Number.POSITIVE_INFINITY;
  /** The next turn is wanted at once. */
  #isDue = false;
  #isRunning = false;
  #paused = false;
  #stopped = false;

  constructor(turn: () => void) {
    this.#turn = turn;
    this.#timer = handle(UV_TIMER);
    check(uvTimerInit(this.#loop, this.#timer));
    uvUnref(this.#timer);
    this.#immediate = setImmediate(this.#run).unref();
  }

  /** Runs a turn whenever `descriptor` can be read, and keeps the process alive for it until `stop`. */
  watch(descriptor: number): void {
    const poll = handle(UV_POLL);
    check(uvPollInit(this.#loop, poll, descriptor));
    if (!this.#paused) check(uvPollStart(poll, UV_READABLE, NOTHING));
    this.#polls.push(poll);
  }

  /** Runs no turn until `resume`. */
  pause(): void {
    this.#paused = true;
    this.#isDue = false;
    for (const poll of this.#polls) check(uvPollStop(poll));
    this.#disarm();
  }

  /** Goes on after `pause`, with a turn. */
  resume(): void {
    if (this.#stopped || !this.#paused) return;
    this.#paused = false;
    for (const poll of this.#polls) check(uvPollStart(poll, UV_READABLE, NOTHING));
    this.arm(monotonicNow());
  }

  /**
   * Runs a turn at `deadline` at the latest; it replaces the deadline before.
   * @param deadline milliseconds of the engine's clock (`monotonicNow`); undefined or Infinity: none
   */
  arm(deadline: number | undefined): void {
    if (this.#stopped) return;
    this.#disarm();
    this.#isDue = false;
    if (deadline === undefined || deadline === Number.POSITIVE_INFINITY) return;
    const delay = deadline - monotonicNow();
    if (delay <= 0) {
      this.#isDue = true;
      // A referenced immediate keeps the loop from waiting at all.
      if (!this.#isRunning) this.#immediate.ref();
      return;
    }
    this.#deadline = deadline;
    // libuv counts from the time it read before the callbacks of this iteration.
    uvUpdateTime(this.#loop);
    // libuv runs timers between turn and wait as well, and a timer that ends there ends no wait: it is repeated until a turn has
    // seen it.
    uvTimerStart(this.#timer, NOTHING, Math.min(Math.ceil(delay), LONGEST_DELAY), 1);
  }

  /** Runs no more turns and lets the process end. The descriptors stay open. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    // The memory of the handles is libuv's until their close callbacks, after this iteration, and so is never freed.
    for (const poll of this.#polls) uvClose(poll, NOTHING);
    uvClose(this.#timer, NOTHING);
  }

  readonly #run = (): void => {
    if (this.#stopped) return;
    // Before the turn: should it throw, and someone catch it, there is a next one.
    this.#immediate = setImmediate(this.#run).unref();
    const began = monotonicNow();
    this.#isRunning = true;
    try {
      do {
        if (this.#stopped || this.#paused) return;
        if (this.#deadline <= monotonicNow()) this.#disarm();
        this.#isDue = false;
        this.#turn();
      } while (this.#isDue && monotonicNow() - began < LONGEST_ROW);
    } finally {
      this.#isRunning = false;
      if (this.#isDue) this.#immediate.ref();
    }
  };

  #disarm(): void {
    if (this.#deadline === Number.POSITIVE_INFINITY) return;
    this.#deadline = Number.POSITIVE_INFINITY;
    uvTimerStop(this.#timer);
  }
}

function handle(type: number): bigint {
  return koffi.alloc('uint8_t', Number(uvHandleSize(type)));
}

function check(status: number): void {
  assert(status === 0, `libuv accepted the descriptor (status ${status})`);
}
