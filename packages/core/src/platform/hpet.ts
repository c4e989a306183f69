// The high-precision event timers of a PC ("IA-PC HPET (High Precision Event Timers) Specification"): a counter of 100 MHz
// and three timers, of 64 bits and periodic if asked. Left out: interrupts as writes on the front-side bus.
import { CYCLES_PER_SECOND } from '../interrupt/virtual-time.js';
import { definePlugin, type Plugin, type View } from '../plugin/define.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import {
  counterAt,
  type HpetCounter,
  type HpetTimer,
  is,
  moveOn,
  schedule,
  TN,
  unusedTimer,
  widthOf,
  writeComparator,
} from './hpet-timer.js';

interface Hpet {
  counter: HpetCounter;
  /** LEG_RT_CNF: the first two timers take the lines of the 8254 and of the clock. */
  isLegacy: boolean;
  /** General interrupt status: a bit for each timer that is level-triggered and active. */
  status: number;
  timers: HpetTimer[];
  /** Lines that are driven high, a bit each. */
  driven: number;
}

const PLUGIN = 'hpet';
const BASE = 0xfed0_0000;
const SIZE = 0x400;
const HERTZ = 100_000_000;
const CYCLES_PER_TICK = CYCLES_PER_SECOND / HERTZ;
const FEMTOSECONDS_PER_TICK = BigInt(1e15 / HERTZ);
const TIMERS = 3;
const LOW_HALF = 0xffff_ffffn;

/** Revision 1, three timers, a counter of 64 bits, legacy replacement, vendor 8086H. */
const CAPABILITIES = (FEMTOSECONDS_PER_TICK << 32n) | 0x8086_a201n;
/** Inputs of the I/O APIC that a timer may take: 2, 8 and 16 to 23. */
const ROUTES = 0x00ff_0104;
/** A timer can be periodic, and has 64 bits. */
const TIMER_CAPABILITIES = (BigInt(ROUTES) << 32n) | 0x30n;
const TIMER_WRITABLE = Object.values(TN).reduce<number>((bits, bit) => bits | bit, 0);
const [ENABLE_CNF, LEG_RT_CNF] = [1n, 2n];
/** The lines that legacy replacement gives the first timers. */
const LEGACY_LINES = [0, 8] as const;
const ROUTE_SHIFT = 9;
const LINES = 24;

const slice = defineSlice<Hpet>(PLUGIN, {
  version: 1,
  initial: () => ({
    counter: { isEnabled: false, value: 0n, since: 0 },
    isLegacy: false,
    status: 0,
    timers: Array.from({ length: TIMERS }, unusedTimer),
    driven: 0,
  }),
});

const tickAt = (time: number): number => Math.floor(time / CYCLES_PER_TICK);

/** Whether lines 0 and 8 are the HPET's, so that the 8254 and the clock drive them no more. */
export function replacesLegacyTimers(draft: MachineDraft): boolean {
  return draft.definition.plugins.some(({ name }) => name === PLUGIN) && slice.of(draft).isLegacy;
}

function lineOf({ isLegacy }: Hpet, { configuration }: HpetTimer, index: number): number {
  const legacy = isLegacy ? LEGACY_LINES[index] : undefined;
  return legacy ?? (configuration & TN.INT_ROUTE_CNF) >> ROUTE_SHIFT;
}

/** Drives a line if it is not as wanted. */
function drive(draft: MachineDraft, line: number, high: boolean): void {
  if (((slice.of(draft).driven >>> line) & 1) === Number(high)) return;
  slice.change(draft, (hpet) => {
    hpet.driven ^= 1 << line;
  });
  draft.setInterruptLine(line, high);
}

/** Active levels rise; what no timer drives any more falls. */
function settle(draft: MachineDraft): void {
  const hpet = slice.of(draft);
  const lines = { level: new Set<number>(), edge: new Set<number>() };
  for (const [index, timer] of hpet.timers.entries()) {
    if (!is(timer, 'INT_ENB_CNF') || !hpet.counter.isEnabled) continue;
    if (!is(timer, 'INT_TYPE_CNF')) lines.edge.add(lineOf(hpet, timer, index));
    else if (((hpet.status >> index) & 1) !== 0) lines.level.add(lineOf(hpet, timer, index));
  }
  for (let line = 0; line < LINES; line++)
    if (!lines.edge.has(line) || lines.level.has(line)) drive(draft, line, lines.level.has(line));
}

/** A match. An edge stays high until the next one: controllers look for the rise, and take a fall for a withdrawal. */
function match(draft: MachineDraft, index: number, tick: number): void {
  slice.change(draft, ({ counter, timers }) => {
    const timer = timers[index];
    if (timer !== undefined) moveOn(timer, counter, tick);
  });
  const hpet = slice.of(draft);
  const timer = hpet.timers[index];
  if (timer === undefined) return;
  if (is(timer, 'INT_TYPE_CNF')) {
    slice.change(draft, (changed) => {
      changed.status |= 1 << index;
    });
    settle(draft);
  } else if (is(timer, 'INT_ENB_CNF')) {
    const line = lineOf(hpet, timer, index);
    drive(draft, line, false);
    drive(draft, line, true);
  }
}

function expire(draft: MachineDraft, now: number): void {
  const tick = tickAt(now);
  for (let index = 0; index < TIMERS; index++) {
    const due = slice.of(draft).timers[index]?.due ?? null;
    if (due !== null && due <= tick) match(draft, index, tick);
  }
}

function deadline(draft: MachineDraft): number | undefined {
  const dues = slice.of(draft).timers.flatMap(({ due }) => due ?? []);
  return dues.length === 0 ? undefined : Math.min(...dues) * CYCLES_PER_TICK;
}

/** A register of 64 bits. A write is to one of its halves: `value` there, `shift` 0 or 32. */
interface Register {
  readonly read: (hpet: Hpet, tick: number) => bigint;
  readonly write?: (hpet: Hpet, value: bigint, shift: bigint, tick: number) => void;
}

const replaceHalf = (old: bigint, value: bigint, shift: bigint): bigint =>
  (old & ~(LOW_HALF << shift)) | (value << shift);

function writeConfiguration(hpet: Hpet, value: bigint, shift: bigint, tick: number): void {
  if (shift !== 0n) return;
  hpet.counter = {
    value: counterAt(hpet.counter, tick),
    since: tick,
    isEnabled: (value & ENABLE_CNF) !== 0n,
  };
  hpet.isLegacy = (value & LEG_RT_CNF) !== 0n;
}

const [STATUS, FIRST_TIMER] = [0x020, 0x100];
const FIXED: Readonly<Record<number, Register>> = {
  0: { read: () => CAPABILITIES },
  16: {
    read: ({ counter, isLegacy }) => (counter.isEnabled ? ENABLE_CNF : 0n) | (isLegacy ? LEG_RT_CNF : 0n),
    write: writeConfiguration,
  },
  [STATUS]: {
    read: ({ status }) => BigInt(status),
    write: (hpet, value, shift) => {
      if (shift === 0n) hpet.status &= ~Number(value); // ones clear
    },
  },
  240: {
    read: ({ counter }, tick) => counterAt(counter, tick),
    write: ({ counter }, value, shift, tick) => {
      counter.value = replaceHalf(counterAt(counter, tick), value, shift);
      counter.since = tick;
    },
  },
};

const timerRegisters = (index: number): Readonly<Record<number, Register>> => ({
  [FIRST_TIMER + 0x20 * index]: {
    read: ({ timers }) => TIMER_CAPABILITIES | BigInt(timers[index]?.configuration ?? 0),
    write: ({ timers }, value, shift) => {
      const timer = timers[index];
      if (timer === undefined || shift !== 0n) return;
      timer.configuration = Number(value) & TIMER_WRITABLE;
      if (widthOf(timer) === 32) timer.comparator &= LOW_HALF;
    },
  },
  [FIRST_TIMER + 0x20 * index + 8]: {
    read: ({ timers }) => timers[index]?.comparator ?? 0n,
    write: ({ timers }, value, shift) => {
      const timer = timers[index];
      if (timer !== undefined) writeComparator(timer, value, shift);
    },
  },
});

/** By offset. */
const REGISTERS: Readonly<Record<number, Register>> = Object.assign(
  { ...FIXED },
  ...Array.from({ length: TIMERS }, (_, index) => timerRegisters(index)),
);

const halfAt = (address: number) => ({ offset: address & 0x3f8, shift: (address & 4) !== 0 ? 32n : 0n });

/** Registers are read in halves or smaller parts. */
function read({ draft }: Cpu, address: number, bytes: 1 | 2 | 4): number {
  const { offset, shift } = halfAt(address);
  const value = REGISTERS[offset]?.read(slice.of(draft), tickAt(draft.now)) ?? 0n;
  return Number(BigInt.asUintN(8 * bytes, ((value >> shift) & LOW_HALF) >> BigInt((address & 3) * 8)));
}

/** The timers whose next match depends on a register. */
function timersMovedBy({ timers }: Hpet, offset: number): readonly HpetTimer[] {
  if (offset === STATUS) return [];
  return offset < FIRST_TIMER ? timers : timers.filter((_timer, index) => index === (offset - FIRST_TIMER) >> 5);
}

/** Only whole halves are written. */
function write({ draft }: Cpu, address: number, value: number, bytes: 1 | 2 | 4): void {
  const { offset, shift } = halfAt(address);
  const register = REGISTERS[offset];
  if (register?.write === undefined || bytes !== 4 || (address & 3) !== 0) return;
  const tick = tickAt(draft.now);
  slice.change(draft, (hpet) => {
    register.write?.(hpet, BigInt(value), shift, tick);
    for (const timer of timersMovedBy(hpet, offset)) schedule(timer, hpet.counter, tick);
  });
  settle(draft);
}

function hpetView({ plugins }: MachineState): readonly View[] {
  const hpet = plugins[PLUGIN] as Hpet;
  return [
    {
      title: `HPET, counter ${hpet.counter.isEnabled ? 'running' : 'halted'}${hpet.isLegacy ? ', legacy replacement' : ''}`,
      columns: ['timer', 'interrupt', 'trigger', 'mode', 'bits', 'line', 'comparator', 'period', 'due at cycle'],
      rows: hpet.timers.map((timer, index) => [
        index,
        is(timer, 'INT_ENB_CNF') ? 'enabled' : 'disabled',
        is(timer, 'INT_TYPE_CNF') ? 'level' : 'edge',
        is(timer, 'TYPE_CNF') ? 'periodic' : 'one-shot',
        widthOf(timer),
        lineOf(hpet, timer, index),
        timer.comparator,
        timer.period,
        timer.due === null ? 'never' : timer.due * CYCLES_PER_TICK,
      ]),
    },
  ];
}

/**
 * The HPET at FED00000H.
 * @example createMachine({ profile: 'intel-server', plugins: [pic, pit, ioApic, hpet] });
 */
export const hpet: Plugin = definePlugin({
  name: PLUGIN,
  version: '1.0.0',
  apiVersion: 1,
  machineSlice: slice,
  deviceMemory: [{ first: BASE, last: BASE + SIZE - 1, read, write }],
  timer: { deadline, expire },
  views: { hpet: hpetView },
});
