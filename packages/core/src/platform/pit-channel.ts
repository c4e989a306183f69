// One counter of the 8254 (Intel's data sheet "8254 Programmable Interval Timer"), as a function of the ticks of its clock:
// what is kept is when a count was loaded, not what it is now. A count that is written is loaded at the next tick.

/** A counter of the chip. */
export interface PitChannel {
  /** The control word without the number of the counter: access in bits 5:4, mode in 3:1, BCD in 0. */
  control: number;
  gate: boolean;
  /** The count register: 1 to 65,536, or 10,000 when it counts in BCD. 0: none was written since the control word. */
  reload: number;
  /** The tick at which the count that runs was, or will be, loaded; absent: nothing runs. */
  start: number | null;
  /** The count that runs. */
  initial: number;
  /** A count that follows the one that runs, in the modes that repeat. */
  next: { start: number; initial: number; at: number } | null;
  /** The tick at which the count register is loaded; absent: when the gate next rises. */
  loadedAt: number | null;
  /** Ticks since `start` when the gate fell and stopped the count. */
  held: number | null;
  /** The low byte of a count whose high byte is to come. */
  writtenLow: number | null;
  /** The next read sees the high byte. */
  readsHigh: boolean;
  latchedCount: number | null;
  latchedStatus: number | null;
}

/** As nobody programmed it: what a processor reads is then undefined; the output is high. */
export const unprogrammed = (): PitChannel => ({
  control: 0x36,
  gate: true,
  reload: 0,
  start: null,
  initial: 0,
  next: null,
  loadedAt: null,
  held: null,
  writtenLow: null,
  readsHigh: false,
  latchedCount: null,
  latchedStatus: null,
});

interface Mode {
  /** The output `ticks` after a count was loaded; it is loaded at 0. */
  readonly output: (ticks: number, count: number) => boolean;
  /** When the output next changes; undefined: it stays. */
  readonly change: (ticks: number, count: number) => number | undefined;
  /** The output from the control word until a count is loaded. */
  readonly idle: boolean;
  /** What the gate does: while low it stops the count; its rise starts it; both, and while low the output is high. */
  readonly gate: 'stops' | 'starts' | 'restarts';
  /** What the counting element holds. */
  readonly value: (ticks: number, count: number) => number;
}

const down = (ticks: number, count: number): number => count - ticks;

/** Low for one tick at the end of the count. */
const strobe = {
  output: (ticks: number, count: number) => ticks !== count,
  change: (ticks: number, count: number) => (ticks < count ? count : ticks === count ? count + 1 : undefined),
  idle: true,
  value: down,
};

const half = (count: number): number => Math.ceil(count / 2);

/** By number; 6 and 7 are 2 and 3 again. */
const MODES: readonly Mode[] = [
  // Interrupt on terminal count.
  {
    output: (ticks, count) => ticks >= count,
    change: (ticks, count) => (ticks < count ? count : undefined),
    idle: false,
    gate: 'stops',
    value: down,
  },
  // One-shot that its gate triggers, again at any time.
  {
    output: (ticks, count) => ticks < 0 || ticks >= count,
    change: (ticks, count) => (ticks < 0 ? 0 : ticks < count ? count : undefined),
    idle: true,
    gate: 'starts',
    value: down,
  },
  // Rate generator: low while the count is 1.
  {
    output: (ticks, count) => ticks < 0 || ticks % count !== count - 1,
    change: (ticks, count) => {
      if (ticks < 0) return count - 1;
      const within = ticks % count;
      return ticks - within + (within === count - 1 ? count : count - 1);
    },
    idle: true,
    gate: 'restarts',
    value: (ticks, count) => count - (ticks % count),
  },
  // Square wave: high for half of an odd count and one tick more.
  {
    output: (ticks, count) => ticks < 0 || ticks % count < half(count),
    change: (ticks, count) => {
      if (ticks < 0) return half(count);
      const within = ticks % count;
      return ticks - within + (within < half(count) ? half(count) : count);
    },
    idle: true,
    gate: 'restarts',
    // It counts by two, from an even number.
    value: (ticks, count) => {
      const within = ticks % count;
      return count - (count & 1) - 2 * (within < half(count) ? within : within - half(count));
    },
  },
  { ...strobe, gate: 'stops' },
  { ...strobe, gate: 'starts' },
];

const modeNumber = ({ control }: PitChannel): number => {
  const mode = (control >> 1) & 7;
  return mode > 5 ? mode & 3 : mode;
};
const modeOf = (channel: PitChannel): Mode => MODES[modeNumber(channel)] as Mode;
const inBcd = ({ control }: PitChannel): boolean => (control & 1) !== 0;
const access = ({ control }: PitChannel): number => (control >> 4) & 3;
const modulus = (channel: PitChannel): number => (inBcd(channel) ? 10_000 : 0x1_0000);

interface Running {
  /** Ticks since the count was loaded; negative before. */
  readonly ticks: number;
  readonly count: number;
}

/** What runs at a tick, a count that took over meanwhile included. */
function running({ start, initial, next, held }: PitChannel, tick: number): Running | undefined {
  if (start === null) return undefined;
  if (held !== null) return { ticks: held, count: initial };
  if (next !== null && tick >= next.at) return { ticks: tick - next.start, count: next.initial };
  return { ticks: tick - start, count: initial };
}

/** The OUT pin. */
export function outputAt(channel: PitChannel, tick: number): boolean {
  const mode = modeOf(channel);
  const run = running(channel, tick);
  if (run === undefined) return mode.idle;
  if (mode.gate === 'restarts' && !channel.gate) return true;
  return mode.output(run.ticks, run.count);
}

/** The next tick after one at which the OUT pin may change by itself; absent: never. */
export function nextChange(channel: PitChannel, tick: number): number | null {
  const run = running(channel, tick);
  if (run === undefined || channel.held !== null) return null;
  const change = modeOf(channel).change(run.ticks, run.count);
  const at = change === undefined ? null : tick + change - run.ticks;
  const { next } = channel;
  return next !== null && tick < next.at && (at === null || next.at < at) ? next.at : at;
}

function start(channel: PitChannel, tick: number): void {
  channel.start = tick + 1;
  channel.initial = channel.reload;
  channel.next = null;
  channel.held = null;
  channel.loadedAt = tick + 1;
}

/** A count that repeats is replaced at its end, in mode 3 at the end of half of it. */
function replaceAtEnd(channel: PitChannel, { ticks, count }: Running, tick: number): void {
  const isSquareWave = modeNumber(channel) === 3;
  const within = ticks % count;
  const endsHigh = isSquareWave && within < half(count);
  const at = tick + (endsHigh ? half(count) : count) - within;
  channel.start = tick - ticks;
  channel.initial = count;
  channel.next = { at, initial: channel.reload, start: endsHigh ? at - half(channel.reload) : at };
  channel.loadedAt = at;
}

function loadCount(channel: PitChannel, value: number, tick: number): void {
  const { gate } = modeOf(channel);
  const run = running(channel, tick);
  channel.reload = value === 0 ? modulus(channel) : value;
  channel.loadedAt = null;
  if (gate === 'starts') return;
  if (gate === 'restarts' && run !== undefined && run.ticks >= 0 && channel.gate) replaceAtEnd(channel, run, tick);
  else if (gate === 'stops' || channel.gate) start(channel, tick);
  if (gate === 'stops' && !channel.gate) channel.held = 0;
}

/** Four digits of four bits. */
const fromBcd = (value: number): number =>
  [12, 8, 4, 0].reduce((number, shift) => number * 10 + ((value >> shift) & 15), 0);
const toBcd = (value: number): number =>
  [1000, 100, 10, 1].reduce((digits, unit) => (digits << 4) | (Math.floor(value / unit) % 10), 0);

/** A byte written to the counter's port. */
export function writeCount(channel: PitChannel, byte: number, tick: number): void {
  const how = access(channel);
  if (how === 3 && channel.writtenLow === null) {
    channel.writtenLow = byte;
    // In mode 0 the first byte stops the count and makes the output low.
    if (modeNumber(channel) === 0) channel.start = null;
    return;
  }
  const value = how === 3 ? (channel.writtenLow ?? 0) | (byte << 8) : how === 2 ? byte << 8 : byte;
  channel.writtenLow = null;
  loadCount(channel, inBcd(channel) ? fromBcd(value) : value, tick);
}

/** A control word: the counter stops until a count is written. */
export function writeControl(channel: PitChannel, control: number): void {
  Object.assign(channel, { ...unprogrammed(), control: control & 0x3f, gate: channel.gate });
}

/** The GATE pin. */
export function setGate(channel: PitChannel, high: boolean, tick: number): void {
  if (channel.gate === high) return;
  const { gate } = modeOf(channel);
  const run = running(channel, tick);
  channel.gate = high;
  if (!high) {
    if (gate !== 'starts' && run !== undefined) stopAt(channel, run);
  } else if (gate !== 'stops') {
    if (channel.reload !== 0) trigger(channel, run, tick);
  } else if (channel.held !== null) {
    channel.start = tick - channel.held;
    channel.held = null;
  }
}

/** The count runs on until the one that is triggered is loaded. */
function trigger(channel: PitChannel, run: Running | undefined, tick: number): void {
  const isRunning = run !== undefined && channel.held === null;
  start(channel, tick);
  if (!isRunning) return;
  channel.next = { at: tick + 1, start: tick + 1, initial: channel.initial };
  channel.start = tick - run.ticks;
  channel.initial = run.count;
}

function stopAt(channel: PitChannel, { ticks, count }: Running): void {
  channel.held = Math.max(0, ticks);
  channel.initial = count;
  channel.next = null;
}

function countAt(channel: PitChannel, tick: number): number {
  const run = running(channel, tick);
  if (run === undefined) return 0;
  const size = modulus(channel);
  const value = (((modeOf(channel).value(Math.max(0, run.ticks), run.count) % size) + size) % size) % 0x1_0000;
  return inBcd(channel) ? toBcd(value) : value;
}

/** The counter latch command: the first one counts until it was read. */
export function latchCount(channel: PitChannel, tick: number): void {
  channel.latchedCount ??= countAt(channel, tick);
}

/** The status of a read-back command: output, null count, and the control word. */
export function latchStatus(channel: PitChannel, tick: number): void {
  const isNull = channel.loadedAt === null || tick < channel.loadedAt;
  channel.latchedStatus ??= (outputAt(channel, tick) ? 0x80 : 0) | (isNull ? 0x40 : 0) | channel.control;
}

/** A byte read from the counter's port: latched status first, then the latched count, then the count as it is. */
export function readCount(channel: PitChannel, tick: number): number {
  if (channel.latchedStatus !== null) {
    const status = channel.latchedStatus;
    channel.latchedStatus = null;
    return status;
  }
  const value = channel.latchedCount ?? countAt(channel, tick);
  const how = access(channel);
  const isHigh = how === 2 || (how === 3 && channel.readsHigh);
  if (how === 3) channel.readsHigh = !channel.readsHigh;
  if (how !== 3 || isHigh) channel.latchedCount = null;
  return isHigh ? value >> 8 : value & 0xff;
}
