// The counter and the comparators of the HPET ("IA-PC HPET (High Precision Event Timers) Specification"), as functions of
// its clock's ticks: when each comparator next meets the counter.

/** One of the timers. */
export interface HpetTimer {
  /** The low half of its configuration register, without the bits that only say what it can do. */
  configuration: number;
  comparator: bigint;
  /** What is added to the comparator at each match while it is periodic. */
  period: bigint;
  /** A write to the low half took Tn_VAL_SET_CNF with it: one to the high half goes to the comparator too. */
  setsHighHalf: boolean;
  /** The tick of the clock at which the comparator meets the counter; absent: not while it matters. */
  due: number | null;
}

/** The main counter: it runs from a value on, or has one. */
export interface HpetCounter {
  isEnabled: boolean;
  /** At tick `since` of the clock if it runs, and for good if not. */
  value: bigint;
  since: number;
}

/** Bits of a timer's configuration that software may set, as the specification prints them. */
export const TN = {
  INT_TYPE_CNF: 0x0002,
  INT_ENB_CNF: 0x0004,
  TYPE_CNF: 0x0008,
  VAL_SET_CNF: 0x0040,
  '32MODE_CNF': 0x0100,
  INT_ROUTE_CNF: 0x3e00,
} as const;

export const unusedTimer = (): HpetTimer => ({
  configuration: 0,
  comparator: 0xffff_ffff_ffff_ffffn,
  period: 0n,
  setsHighHalf: false,
  due: null,
});

export const is = ({ configuration }: HpetTimer, bit: keyof typeof TN): boolean => (configuration & TN[bit]) !== 0;
/** Bits of the counter that a timer compares. */
export const widthOf = (timer: HpetTimer): 32 | 64 => (is(timer, '32MODE_CNF') ? 32 : 64);

/** The main counter at a tick of its clock. */
export function counterAt({ isEnabled, value, since }: HpetCounter, tick: number): bigint {
  return isEnabled ? BigInt.asUintN(64, value + BigInt(tick - since)) : value;
}

/** Ticks that a run may last; what is due later is due never. */
const FURTHEST = 2n ** 43n;

/** When a comparator meets the counter, from a tick on. */
export function schedule(timer: HpetTimer, counter: HpetCounter, tick: number): void {
  const ahead = BigInt.asUintN(widthOf(timer), timer.comparator - counterAt(counter, tick));
  timer.due = counter.isEnabled && ahead < FURTHEST ? tick + Number(ahead) : null;
}

/** A comparator has met the counter: a periodic one is moved on past a tick, others meet it again when it has wrapped. */
export function moveOn(timer: HpetTimer, counter: HpetCounter, tick: number): void {
  if (is(timer, 'TYPE_CNF') && timer.period > 0n) {
    const late = BigInt(tick - (timer.due ?? tick));
    timer.comparator = BigInt.asUintN(widthOf(timer), timer.comparator + (late / timer.period + 1n) * timer.period);
    schedule(timer, counter, tick);
  } else schedule(timer, counter, tick + 1);
}

/** A write to half of a comparator; `shift` is 0 or 32. A periodic timer takes it as its period, with Tn_VAL_SET_CNF both. */
export function writeComparator(timer: HpetTimer, value: bigint, shift: bigint): void {
  if (widthOf(timer) === 32 && shift !== 0n) return;
  const merged = (old: bigint) => (old & ~(0xffff_ffffn << shift)) | (value << shift);
  const isPeriodic = is(timer, 'TYPE_CNF');
  const isSet = is(timer, 'VAL_SET_CNF') || (shift !== 0n && timer.setsHighHalf);
  timer.setsHighHalf = shift === 0n && is(timer, 'VAL_SET_CNF');
  timer.configuration &= ~TN.VAL_SET_CNF;
  if (!isPeriodic || isSet) timer.comparator = BigInt.asUintN(widthOf(timer), merged(timer.comparator));
  if (isPeriodic) timer.period = merged(timer.period);
}
