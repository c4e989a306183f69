// MC146818: the clock and the battery-backed memory of a PC, at ports 70H and 71H. Time passes with the machine's virtual
// time, from a start that is configured. Left out: daylight saving (register B, bit 0) and the square wave, which no PC has
// wired. Bit 7 of port 70H is no part of it: while it is set, the NMI line of the board is masked (isNmiMasked).
import { CYCLES_PER_SECOND } from '../interrupt/virtual-time.js';
import { definePlugin, type Plugin, type View } from '../plugin/define.js';
import type { MachineDefinition } from '../plugin/host.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import { bytePorts } from './byte-ports.js';
import { parseCalendarTime, secondsOf } from './calendar.js';
import { cmosMemory } from './cmos-memory.js';
import { replacesLegacyTimers } from './hpet.js';
import {
  A,
  B,
  C,
  isTimeAddress,
  nextAlarm,
  periodOf,
  RTC,
  timeBytes,
  timeOfBytes,
  VALID_RAM_AND_TIME,
} from './rtc-registers.js';

const PLUGIN = 'rtc';
const INDEX_PORT = 0x70;
const DATA_PORT = 0x71;
const INTERRUPT_LINE = 8;
const OSCILLATOR_HERTZ = 32_768;
/** Register A says that an update is near for the last 244 microseconds of a second. */
const UPDATE_NEAR = (244 * CYCLES_PER_SECOND) / 1_000_000;

interface Rtc {
  index: number;
  nmiMasked: boolean;
  /** By address. Those of the time count only while it stands still; registers A to D are here too. */
  readonly bytes: number[];
  /** The time was `seconds` (calendar.ts) at `cycles` of virtual time, where a second began. */
  readonly base: { seconds: number; cycles: number };
  /** Until when the flags of register C have been looked after, in cycles. */
  settled: number;
}

const slice = defineSlice<Rtc>(PLUGIN, {
  version: 1,
  initial: () => ({ index: 0, nmiMasked: false, bytes: [], base: { seconds: 0, cycles: 0 }, settled: 0 }),
});

const byteAt = ({ bytes }: Rtc, address: number): number => bytes[address] ?? 0;
const isDividerReset = (rtc: Rtc): boolean => (byteAt(rtc, RTC.A) & A.dividerReset) === A.dividerReset;
/** SET stops updates, and the reset of the divider chain stops everything. */
const stands = (rtc: Rtc): boolean => isDividerReset(rtc) || (byteAt(rtc, RTC.B) & B.SET) !== 0;

/** Whole seconds that the divider chain counted, and cycles since the last one. */
function phase({ base }: Rtc, now: number): { readonly seconds: number; readonly cycles: number } {
  const seconds = Math.floor((now - base.cycles) / CYCLES_PER_SECOND);
  return { seconds, cycles: now - base.cycles - seconds * CYCLES_PER_SECOND };
}

const secondsAt = (rtc: Rtc, now: number): number => rtc.base.seconds + phase(rtc, now).seconds;

/** How many periods of the periodic interrupt the divider chain counted. */
function periodsAt(rtc: Rtc, period: number, now: number): number {
  const { seconds, cycles } = phase(rtc, now);
  const ticks = Math.floor((cycles * OSCILLATOR_HERTZ) / CYCLES_PER_SECOND);
  return (seconds * OSCILLATOR_HERTZ) / period + Math.floor(ticks / period);
}

/** When the divider chain will have counted so many periods, in cycles. */
function endOfPeriod(rtc: Rtc, period: number, periods: number): number {
  const perSecond = OSCILLATOR_HERTZ / period;
  const seconds = Math.floor(periods / perSecond);
  const ticks = (periods - seconds * perSecond) * period;
  return rtc.base.cycles + seconds * CYCLES_PER_SECOND + Math.ceil((ticks * CYCLES_PER_SECOND) / OSCILLATOR_HERTZ);
}

/** Flags of register C for what happened since they were looked after. */
function newFlags(rtc: Rtc, now: number): number {
  if (isDividerReset(rtc)) return 0;
  const period = periodOf(byteAt(rtc, RTC.A));
  const [before, after] = [secondsAt(rtc, rtc.settled), secondsAt(rtc, now)];
  const updated = !stands(rtc) && after > before;
  const alarm = updated ? nextAlarm(rtc.bytes, byteAt(rtc, RTC.B), before) : undefined;
  return (
    (period !== undefined && periodsAt(rtc, period, now) > periodsAt(rtc, period, rtc.settled) ? C.PF : 0) |
    (updated ? C.UF : 0) |
    (alarm !== undefined && alarm <= after ? C.AF : 0)
  );
}

const interrupts = (rtc: Rtc): boolean => (byteAt(rtc, RTC.B) & byteAt(rtc, RTC.C) & C.flags) !== 0;

/** Changes the clock once its flags are those of now, and its interrupt line with it. */
function change(draft: MachineDraft, recipe: (rtc: Rtc, now: number) => void, now = draft.now): void {
  const before = interrupts(slice.of(draft));
  slice.change(draft, (rtc) => {
    rtc.bytes[RTC.C] = byteAt(rtc, RTC.C) | newFlags(rtc, now);
    rtc.settled = now;
    recipe(rtc, now);
    rtc.bytes[RTC.C] = (byteAt(rtc, RTC.C) & C.flags) | (interrupts(rtc) ? C.IRQF : 0);
  });
  const after = interrupts(slice.of(draft));
  if (after !== before && !replacesLegacyTimers(draft)) draft.setInterruptLine(INTERRUPT_LINE, after);
}

/** The time as it is now goes into the bytes, where it stands still. */
function stop(rtc: Rtc, now: number): void {
  for (const [address, byte] of timeBytes(secondsAt(rtc, now), byteAt(rtc, RTC.B))) rtc.bytes[address] = byte;
}

/** The bytes are the time, and it goes on: the divider chain went on all the while. */
function start(rtc: Rtc, now: number): void {
  const { cycles } = phase(rtc, now);
  rtc.base.seconds = timeOfBytes(rtc.bytes, byteAt(rtc, RTC.B));
  rtc.base.cycles = now - cycles;
}

/** Writes registers; the time stands still before or after as SET and the divider say. */
function write(rtc: Rtc, address: number, byte: number, now: number): void {
  const [stood, wasReset] = [stands(rtc), isDividerReset(rtc)];
  if (!stood) stop(rtc, now);
  rtc.bytes[address] = byte;
  if (wasReset && !isDividerReset(rtc)) rtc.base.cycles = now - CYCLES_PER_SECOND / 2; // the first update is half a second off
  if (!stands(rtc)) start(rtc, now);
}

/** Where writing is not just storing. */
const WRITERS: Readonly<Record<number, (rtc: Rtc, byte: number, now: number) => void>> = {
  [RTC.A]: (rtc, byte, now) => write(rtc, RTC.A, byte & ~A.UIP, now),
  // Another form (DM, 24/12) reads the same bytes otherwise: software sets the time again. SET ends update interrupts.
  [RTC.B]: (rtc, byte, now) => write(rtc, RTC.B, (byte & B.SET) === 0 ? byte : byte & ~B.UIE, now),
  [RTC.C]: () => undefined,
  [RTC.D]: () => undefined,
};

/** Guests that poll a register select it each time: only what changes is a change of the state. */
function select(draft: MachineDraft, index: number, nmiMasked: boolean): void {
  const before = slice.of(draft);
  if (before.index === index && before.nmiMasked === nmiMasked) return;
  slice.change(draft, (rtc) => {
    rtc.index = index;
    rtc.nmiMasked = nmiMasked;
  });
}

function writeData({ draft }: Cpu, byte: number): void {
  const { index } = slice.of(draft);
  change(draft, (rtc, now) => {
    const writer = WRITERS[index];
    if (writer !== undefined) writer(rtc, byte, now);
    else if (isTimeAddress(index)) write(rtc, index, byte, now);
    else rtc.bytes[index] = byte;
  });
}

function readData({ draft }: Cpu): number {
  const rtc = slice.of(draft);
  const { index } = rtc;
  if (index === RTC.C) return readFlags(draft);
  if (index === RTC.A) return byteAt(rtc, RTC.A) | (isUpdateNear(rtc, draft.now) ? A.UIP : 0);
  if (!isTimeAddress(index) || stands(rtc)) return byteAt(rtc, index);
  const bytes = new Map(timeBytes(secondsAt(rtc, draft.now), byteAt(rtc, RTC.B)));
  return bytes.get(index) ?? 0;
}

/** Reading register C clears it, and answers the interrupt. */
function readFlags(draft: MachineDraft): number {
  let flags = 0;
  change(draft, (rtc) => {
    flags = (byteAt(rtc, RTC.C) & C.flags) | (interrupts(rtc) ? C.IRQF : 0);
    rtc.bytes[RTC.C] = 0;
  });
  return flags;
}

const isUpdateNear = (rtc: Rtc, now: number): boolean =>
  !stands(rtc) && phase(rtc, now).cycles >= CYCLES_PER_SECOND - UPDATE_NEAR;

/** When the next enabled interrupt comes that is not there yet. */
function deadline(draft: MachineDraft): number | undefined {
  const rtc = slice.of(draft);
  if (isDividerReset(rtc)) return undefined;
  const awaited = byteAt(rtc, RTC.B) & ~byteAt(rtc, RTC.C);
  const period = periodOf(byteAt(rtc, RTC.A));
  const second = secondsAt(rtc, rtc.settled);
  const startOf = (total: number) => rtc.base.cycles + (total - rtc.base.seconds) * CYCLES_PER_SECOND;
  const times: number[] = [];
  if ((awaited & B.PIE) !== 0 && period !== undefined)
    times.push(endOfPeriod(rtc, period, periodsAt(rtc, period, rtc.settled) + 1));
  if ((awaited & B.UIE) !== 0 && !stands(rtc)) times.push(startOf(second + 1));
  // The search for an alarm is long, so it is made only for one that is awaited.
  const alarm = (awaited & B.AIE) === 0 || stands(rtc) ? undefined : nextAlarm(rtc.bytes, byteAt(rtc, RTC.B), second);
  if (alarm !== undefined) times.push(startOf(alarm));
  return times.length === 0 ? undefined : Math.min(...times);
}

function rtcView(state: MachineState): readonly View[] {
  const { index, bytes } = state.plugins[PLUGIN] as Rtc;
  const hex = (value = 0) => `0x${value.toString(16).padStart(2, '0')}`;
  const { A: a, B: b, C: c, D: d } = RTC;
  return [
    {
      title: 'Real-time clock',
      columns: ['index', 'A', 'B', 'C', 'D', 'alarm'],
      rows: [
        [
          hex(index),
          ...[a, b, c, d].map((address) => hex(bytes[address])),
          [RTC.hoursAlarm, RTC.minutesAlarm, RTC.secondsAlarm].map((address) => hex(bytes[address])).join(':'),
        ],
      ],
    },
  ];
}

/** Firmware leaves the clock running at its usual rate, in BCD and 24 hours. */
function initial(definition: MachineDefinition, start: number): Rtc {
  const bytes = cmosMemory(definition);
  bytes[RTC.A] = 0x26;
  bytes[RTC.B] = B.HOURS_24;
  bytes[RTC.D] = VALID_RAM_AND_TIME;
  return { index: 0, nmiMasked: false, bytes, base: { seconds: start, cycles: 0 }, settled: 0 };
}

/** Whether bit 7 of port 70H keeps the NMIs of the board from the processors. An NMI that a local APIC sends is none. */
export const isNmiMasked = (draft: MachineDraft): boolean =>
  draft.definition.plugins.some(({ name }) => name === PLUGIN) && slice.of(draft).nmiMasked;

/**
 * A clock that shows `start` when the machine does: `2000-01-01T00:00:00`.
 * @throws UsageError CALENDAR_TIME for a start that is no time
 * @example createMachine({ profile: 'intel-server', plugins: [rtcStartingAt('2026-07-01T12:00:00')] });
 */
export function rtcStartingAt(start: string): Plugin {
  const seconds = secondsOf(parseCalendarTime(start));
  return definePlugin({
    name: PLUGIN,
    version: '1.0.0',
    apiVersion: 1,
    configuration: { start },
    machineSlice: { ...slice, initial: (definition) => initial(definition, seconds) },
    ports: [
      bytePorts({
        first: INDEX_PORT,
        last: DATA_PORT,
        read: (cpu, port) => (port === DATA_PORT ? readData(cpu) : 0xff),
        write: (cpu, port, byte) => {
          if (port === DATA_PORT) writeData(cpu, byte);
          else select(cpu.draft, byte & 0x7f, (byte & 0x80) !== 0);
        },
      }),
    ],
    timer: { deadline, expire: (draft, now) => change(draft, () => undefined, now) },
    views: { rtc: rtcView },
  });
}

/**
 * A clock that starts with the year 2000.
 * @example createMachine({ profile: 'intel-server', plugins: [rtc] });
 */
export const rtc: Plugin = rtcStartingAt('2000-01-01T00:00:00');
